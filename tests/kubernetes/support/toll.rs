//! Counting what is asked of the API server.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::Mutex;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::Config;
use kube::client::Body;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::ApiServer;

/// A way to the API server on which every request is written down. Who takes it has the rights of the token that it was made with.
pub(crate) struct Toll {
    port: u16,
    namespace: String,
    paid: Paid,
    carrying: JoinHandle<()>,
}

type Paid = Arc<Mutex<Vec<String>>>;

impl Toll {
    /// Makes it, for a token that is at home in a namespace.
    pub(crate) async fn to(server: &ApiServer, token: &str, namespace: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = server.client(token, namespace).await;
        let paid = Paid::default();
        let pay = Arc::clone(&paid);
        let carrying = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (client, pay) = (client.clone(), Arc::clone(&pay));
                let carry = service_fn(move |request| carry(client.clone(), pay.clone(), request));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(near), carry);
                tokio::spawn(serving);
            }
        });
        Self {
            port,
            namespace: namespace.to_owned(),
            paid,
            carrying,
        }
    }

    /// How to take it.
    pub(crate) fn config(&self) -> Config {
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut config = Config::new(url.parse().unwrap());
        config.default_namespace.clone_from(&self.namespace);
        config
    }

    /// The requests since this was last asked: method and path of each, without the query.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.paid.lock().unwrap())
    }

    /// How many requests there were of this method, and with this in their path, since they were last taken.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let paid = self.paid.lock().unwrap();
        let is = |line: &&String| line.starts_with(method) && line.contains(part);
        paid.iter().filter(is).count()
    }
}

impl Drop for Toll {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(
    client: Client,
    paid: Paid,
    request: Request<Incoming>,
) -> kube::Result<hyper::Response<Body>> {
    let line = format!("{} {}", request.method(), request.uri().path());
    paid.lock().unwrap().push(line);
    let (mut head, body) = request.into_parts();
    head.headers.remove(hyper::header::HOST);
    let body = body.collect().await.unwrap().to_bytes();
    let request = Request::from_parts(head, Body::from(body.to_vec()));
    client.send(request).await
}
