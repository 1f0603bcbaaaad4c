//! The server of the metrics, over sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::http::metrics::Metrics;
use image_updater::adapters::http::server::serve_metrics;
use image_updater::adapters::tls::acceptor::Acceptor;
use image_updater::adapters::tls::plain_acceptor::PlainAcceptor;
use image_updater::adapters::tls::setup::self_signed;
use image_updater::ports::access_reviewer::Access;
use image_updater::ports::access_reviewer::AccessReviewer;
use image_updater::ports::access_reviewer::ReviewError;
use image_updater::ports::metrics_page::MetricsPage;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::client;
use crate::support::log::Log;
use crate::support::tools::{curl, has};
use crate::support::wire::{Reply, Wire, exchange, request};

const TEXT: &str = "# EOF\n";

struct Page;

impl MetricsPage for Page {
    fn text(&self) -> String {
        TEXT.to_owned()
    }
}

/// Lets one token in, knows another, and falls ill at a third.
struct Reviewer;

#[async_trait]
impl AccessReviewer for Reviewer {
    async fn review(&self, token: &str) -> Result<Access, ReviewError> {
        match token {
            "reader" => Ok(Access::Granted),
            "somebody" => Ok(Access::Denied),
            "outage" => Err(ReviewError::Unavailable {
                reason: "away".to_owned(),
            }),
            _ => Ok(Access::Unknown),
        }
    }
}

/// A server that ends when this is dropped.
struct Served {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serving(acceptor: Arc<dyn Acceptor>, reviewer: Option<Arc<dyn AccessReviewer>>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics {
        page: Arc::new(Page),
        reviewer,
    };
    let accept = move |tcp| {
        let acceptor = Arc::clone(&acceptor);
        async move { acceptor.accept(tcp).await }
    };
    let forever = std::future::pending();
    let serving = tokio::spawn(serve_metrics(listener, accept, metrics, forever));
    Served { address, serving }
}

async fn open() -> Served {
    serving(Arc::new(PlainAcceptor), None).await
}

async fn secure() -> Served {
    serving(self_signed(&[]).unwrap(), Some(Arc::new(Reviewer))).await
}

fn with(authorization: &str) -> String {
    format!("GET /metrics HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\r\n")
}

async fn get<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, authorization: &str) -> Reply {
    wire.send(with(authorization)).await;
    wire.reply().await
}

#[tokio::test]
async fn everybody_reads_what_is_open() {
    let served = open().await;
    let reply = exchange(served.address, request("GET", "/metrics")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, TEXT));
    assert_eq!(
        reply.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    for (method, path, status) in [
        ("POST", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "/webhook", 404),
        ("GET", "/metrics/x", 404),
    ] {
        let reply = exchange(served.address, request(method, path)).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.json()["outcome"], "rejected");
    }
}

#[tokio::test]
async fn what_is_secure_is_read_by_those_who_may() {
    let served = secure().await;
    let mut wire = client::wire(served.address).await;
    let reply = get(&mut wire, "Bearer reader").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, TEXT));
    for (authorization, status, message) in [
        ("Bearer somebody", 403, "metrics-reader"),
        ("Bearer outage", 503, "could not be asked"),
        ("Bearer stranger", 401, "bearer token"),
        ("Basic reader", 401, "bearer token"),
        ("reader", 401, "bearer token"),
    ] {
        let reply = get(&mut wire, authorization).await;
        assert_eq!(reply.status, status, "{authorization}");
        assert!(reply.message().contains(message), "{authorization}");
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(reply.header("www-authenticate"), challenge);
    }
    wire.send(request("GET", "/metrics")).await;
    assert_eq!(wire.reply().await.status, 401);
}

/// Each holds a place with the start of a head, and there are more of them than places.
#[tokio::test]
async fn who_fails_too_often_keeps_nobody_out() {
    let served = open().await;
    let mut failing = Wire::connect(served.address).await;
    let mut status = 404;
    for _ in 0..200 {
        failing.send(request("GET", "/nowhere")).await;
        status = failing.reply().await.status;
    }
    assert_eq!(status, 429);
    let mut flood = Vec::new();
    for _ in 0..40 {
        let mut wire = Wire::connect(served.address).await;
        wire.send("P").await;
        flood.push(wire);
    }
    let start = Instant::now();
    let reply = exchange(served.address, request("GET", "/metrics")).await;
    assert_eq!(reply.status, 200);
    assert!(start.elapsed() < Limits::default().head);
}

#[tokio::test]
async fn no_token_is_logged() {
    let log = Log::start();
    let served = secure().await;
    let mut wire = client::wire(served.address).await;
    for token in ["somebody", "outage", "stranger"] {
        let reply = get(&mut wire, &format!("Bearer {token}")).await;
        assert_ne!(reply.status, 200);
    }
    assert_eq!(log.lines("path=\"/metrics\"").len(), 3);
    for token in ["somebody", "outage", "stranger"] {
        assert_eq!(log.lines(token), [""; 0]);
    }
}

#[tokio::test]
async fn curl_reads_it() {
    if !has("curl", "--version").await {
        return;
    }
    let served = secure().await;
    let url = format!("https://{}/metrics", served.address);
    let arguments = ["-H", "Authorization: Bearer reader"];
    let (status, _, body) = curl(&url, &arguments).await.unwrap();
    assert_eq!((status, body.as_str()), (200, TEXT));
    let served = open().await;
    let url = format!("http://{}/metrics", served.address);
    let (status, _, body) = curl(&url, &[]).await.unwrap();
    assert_eq!((status, body.as_str()), (200, TEXT));
}
