//! A proxy before the API server, which counts requests and can keep answers back.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::Config;
use kube::client::Body;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A proxy that speaks plain HTTP and does everything with the rights of its own client.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    client: Client,
    seen: Mutex<Vec<Seen>>,
    /// The methods to which the next answers are lost, in their order.
    losing: Mutex<VecDeque<&'static str>>,
}

/// A request that was answered.
struct Seen {
    method: String,
    path: String,
    status: u16,
    /// Whether it is a list or a watch.
    is_list: bool,
}

impl Proxy {
    /// A proxy to where a client leads.
    pub(crate) async fn of(client: Client) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            client,
            seen: Mutex::default(),
            losing: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            serving,
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How a client comes here.
    pub(crate) fn config(&self) -> Config {
        Config::new(self.url().parse().unwrap())
    }

    /// The requests since this was last asked, as method and HTTP status, such as `PATCH 200`. Lists and watches do not count.
    pub(crate) fn requests(&self) -> Vec<String> {
        let seen = self.take();
        let counted = seen.into_iter().filter(|seen| !seen.is_list);
        counted
            .map(|seen| format!("{} {}", seen.method, seen.status))
            .collect()
    }

    /// All requests since this was last asked, as method and path.
    pub(crate) fn paths(&self) -> Vec<String> {
        let seen = self.take().into_iter();
        seen.map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }

    /// How many requests there are of this method with this in their path, of those that are next to be told.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let seen = self.shared.seen.lock().unwrap();
        let is = |seen: &&Seen| seen.method == method && seen.path.contains(part);
        seen.iter().filter(is).count()
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }

    /// Closes connections instead of giving the next answers to these methods, in their order.
    pub(crate) fn lose<const N: usize>(&self, methods: [&'static str; N]) {
        *self.shared.losing.lock().unwrap() = methods.into();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| forward(Arc::clone(&shared), request));
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A connection ends as its client likes.
        connections.spawn(async { _ = serving.await });
    }
}

async fn forward(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let is_list = parts.method == "GET" && parts.uri.query().is_some_and(|query| !query.is_empty());
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    let mut request = Request::from_parts(parts, Body::from(body.to_vec()));
    request.headers_mut().remove("host");
    let answer = shared.client.send(request).await;
    let answer = answer.map_err(io::Error::other)?;
    shared.seen.lock().unwrap().push(Seen {
        method: method.clone(),
        path,
        status: answer.status().as_u16(),
        is_list,
    });
    let mut losing = shared.losing.lock().unwrap();
    if losing.front().is_some_and(|next| *next == method) {
        losing.pop_front();
        return Err(io::Error::other("the answer is lost"));
    }
    Ok(answer)
}
