//! A registry that does what a test says.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Method, path and query: `GET /v2/a/tags/list?n=1000`.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) version: http::Version,
}

impl Ask {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Whether the line has this in it.
    pub(crate) fn is(&self, part: &str) -> bool {
        self.line.contains(part)
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How many bytes are sent before the connection breaks.
    broken_after: Option<usize>,
    is_endless: bool,
}

impl Answer {
    pub(crate) fn of(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            broken_after: None,
            is_endless: false,
        }
    }

    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::of(200)
            .with("content-type", "application/json")
            .body(body)
    }

    /// The registry's own error.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#);
        Self {
            status,
            ..Self::json(body)
        }
    }

    /// Wants a token of a token server.
    pub(crate) fn bearer(realm: &str) -> Self {
        let challenge = format!(r#"Bearer realm="{realm}",service="tests",scope="x""#);
        Self::error(401, "UNAUTHORIZED").with("www-authenticate", &challenge)
    }

    /// Wants a user and a password.
    pub(crate) fn basic() -> Self {
        Self::error(401, "UNAUTHORIZED").with("www-authenticate", r#"Basic realm="tests""#)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn broken_after(mut self, bytes: usize) -> Self {
        self.broken_after = Some(bytes);
        self
    }

    /// Never sends more than the headers.
    pub(crate) fn endless(mut self) -> Self {
        self.is_endless = true;
        self
    }

    fn into_response(self) -> Response<UnsyncBoxBody<Bytes, std::io::Error>> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let length = self.body.len();
        let frames: Vec<Result<Frame<Bytes>, std::io::Error>> = match self.broken_after {
            None => vec![Ok(Frame::data(self.body.into()))],
            Some(bytes) => vec![
                Ok(Frame::data(self.body[..bytes].to_vec().into())),
                Err(std::io::Error::other("broken, as the test wants it")),
            ],
        };
        let body = if self.is_endless {
            StreamBody::new(stream::pending()).boxed_unsync()
        } else {
            response = response.header("content-length", length);
            StreamBody::new(stream::iter(frames)).boxed_unsync()
        };
        response.body(body).unwrap()
    }
}

type Script = Box<dyn Fn(Ask) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// A registry that does what a test says, and remembers what it was asked.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    is_secure: bool,
}

struct Shared {
    script: Script,
    seen: Mutex<Vec<Ask>>,
}

impl Scripted {
    /// One that answers without waiting. The script is told the registry's own address, and how many requests there were before.
    pub(crate) async fn start(
        script: impl Fn(&Ask, &str, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Mutex::new(0);
        let script = move |ask: Ask| {
            let before = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count - 1
            };
            let answer = script(&ask, &url, before);
            Box::pin(async move { answer }) as Pin<Box<dyn Future<Output = Answer> + Send>>
        };
        Self::serve(listener, Box::new(script), None)
    }

    /// One that may wait.
    pub(crate) async fn waiting<F>(script: impl Fn(Ask) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self::serve(listener, Box::new(move |ask| Box::pin(script(ask))), None)
    }

    /// One over TLS.
    pub(crate) async fn secure(
        acceptor: TlsAcceptor,
        script: impl Fn(&Ask) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let script = move |ask: Ask| {
            let answer = script(&ask);
            Box::pin(async move { answer }) as Pin<Box<dyn Future<Output = Answer> + Send>>
        };
        Self::serve(listener, Box::new(script), Some(acceptor))
    }

    fn serve(listener: TcpListener, script: Script, acceptor: Option<TlsAcceptor>) -> Self {
        let shared = Arc::new(Shared {
            script,
            seen: Mutex::default(),
        });
        Self {
            address: listener.local_addr().unwrap(),
            is_secure: acceptor.is_some(),
            serving: tokio::spawn(accept(listener, Arc::clone(&shared), acceptor)),
            shared,
        }
    }

    pub(crate) fn url(&self) -> String {
        if self.is_secure {
            // The name in the certificates of the tests.
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// The requests since this was last asked.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }

    /// Their lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asks().into_iter().map(|ask| ask.line).collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, acceptor: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            // A connection ends as its client likes, or as the script does.
            let Some(acceptor) = acceptor else {
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                return;
            };
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            if is_http2 {
                let _ = http2::Builder::new(TokioExecutor::new())
                    .serve_connection(stream, service)
                    .await;
            } else {
                let _ = http1::Builder::new()
                    .serve_connection(stream, service)
                    .await;
            }
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, std::io::Error>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().as_str();
    let body = body.collect().await.unwrap().to_bytes();
    let ask = Ask {
        line: format!("{} {path}", parts.method),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        version: parts.version,
    };
    shared.seen.lock().unwrap().push(ask.clone());
    Ok((shared.script)(ask).await.into_response())
}
