//! A proxy before a registry, which counts what is asked and answers in its place where a test says so. Tests include this file by its path.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::Empty;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

/// Gives status and body in place of the registry, for a method and a path that it knows.
type Instead = dyn Fn(&str) -> Option<(u16, String)> + Send + Sync;

/// A proxy that speaks plain HTTP.
pub(crate) struct Counting {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    /// Host and port of the registry.
    behind: String,
    /// Method and path of what was answered.
    seen: Mutex<Vec<String>>,
    instead: Mutex<Option<Box<Instead>>>,
}

impl Counting {
    /// A proxy before the registry with this host and port.
    pub(crate) async fn before(authority: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behind: authority.to_owned(),
            seen: Mutex::default(),
            instead: Mutex::default(),
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

    /// What was asked since this was last called, as method and path below `/v2/`. What was only asked for a password does not count.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }

    /// How much was asked since that was last told with this in it.
    pub(crate) fn count(&self, part: &str) -> usize {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().filter(|line| line.contains(part)).count()
    }

    /// Has it answer in place of the registry.
    pub(crate) fn instead(
        &self,
        answer: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static,
    ) {
        *self.shared.instead.lock().unwrap() = Some(Box::new(answer));
    }

    /// Has the registry answer again.
    pub(crate) fn honest(&self) {
        *self.shared.instead.lock().unwrap() = None;
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    /// What is answered in place of the registry.
    fn own(&self, line: &str) -> Option<(u16, String)> {
        let instead = self.instead.lock().unwrap();
        instead.as_ref().and_then(|answer| answer(line))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A connection ends as its client likes.
        connections.spawn(async { _ = serving.await });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let line = format!(
        "{} {}",
        request.method(),
        path.strip_prefix("/v2/").unwrap_or(path)
    );
    let answer = match shared.own(&line) {
        Some((status, body)) => Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Full::from(body))
            .unwrap(),
        None => forward(&shared.behind, request).await,
    };
    if answer.status() != 401 {
        shared.seen.lock().unwrap().push(line);
    }
    Ok(answer)
}

/// Asks the registry. One that has ended is told of as a gateway does.
async fn forward(behind: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(stream) = TcpStream::connect(behind).await else {
        let gone = Response::builder().status(502);
        return gone.body(Full::default()).unwrap();
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let (parts, _) = request.into_parts();
    let request = Request::from_parts(parts, Empty::<Bytes>::new());
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Response::from_parts(parts, Full::new(body))
}
