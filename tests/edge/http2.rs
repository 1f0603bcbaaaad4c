//! HTTP/2, which is spoken only when it is asked for.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::tls::setup::TlsSettings;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::support::client;
use crate::support::server::{Server, settings};
use crate::support::tools::{curl, has, s_client};

async fn serving(http2: bool) -> Server {
    let folder = tempfile::tempdir().unwrap();
    Server::tls(TlsSettings {
        http2,
        ..settings(folder.path())
    })
    .await
}

async fn alpn(server: &Server, offered: &[&str]) -> Option<String> {
    let stream = client::connect(server.address, offered).await.ok()?;
    let name = stream.get_ref().1.alpn_protocol().unwrap_or_default();
    Some(String::from_utf8(name.to_vec()).unwrap())
}

#[tokio::test]
async fn alpn_chooses_the_version() {
    let server = serving(true).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], Some("")),
    ] {
        assert_eq!(
            alpn(&server, offered).await.as_deref(),
            chosen,
            "{offered:?}"
        );
    }
    let server = serving(false).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("http/1.1")),
        (&["h2"], None),
        (&[], Some("")),
    ] {
        assert_eq!(
            alpn(&server, offered).await.as_deref(),
            chosen,
            "{offered:?}"
        );
    }
}

#[tokio::test]
async fn curl_speaks_what_is_offered() {
    if !has("curl", "--version").await {
        return;
    }
    for (http2, version) in [(true, "2"), (false, "1.1")] {
        let server = serving(http2).await;
        let url = format!("https://{}/webhook?type=t", server.address);
        let arguments = ["--http2", "--data-binary", "{}"];
        let (status, spoken, body) = curl(&url, &arguments).await.unwrap();
        assert_eq!((status, spoken.as_str()), (200, version));
        assert!(body.contains("\"outcome\":\"ignored\""), "{body}");
        assert_eq!(server.intake.seen().len(), 1);
        let (status, _, body) = curl(&url, &["--http2"]).await.unwrap();
        assert_eq!(status, 405, "{body}");
    }
}

#[tokio::test]
async fn openssl_sees_what_is_offered() {
    if !has("openssl", "version").await {
        return;
    }
    let server = serving(false).await;
    let arguments = "-alpn h2,http/1.1";
    assert!(s_client(server.address, arguments).await.is_some());
    assert!(s_client(server.address, "-alpn h2").await.is_none());
}

type Body = BoxBody<Bytes, Infallible>;
type Sender = http2::SendRequest<Body>;

async fn connect(server: &Server) -> Sender {
    let stream = client::connect(server.address, &["h2"]).await.unwrap();
    let builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn body(bytes: impl Into<Bytes>) -> Body {
    Full::from(bytes.into()).boxed()
}

async fn send(sender: &mut Sender, request: Request<Body>) -> (u16, String) {
    let answer = sender.send_request(request).await.unwrap();
    assert!(answer.headers().get("connection").is_none());
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn post(length: usize) -> http::request::Builder {
    Request::post("https://h/webhook?type=t").header("content-length", length)
}

#[tokio::test]
async fn limits_are_those_of_http_1() {
    let server = serving(true).await;
    let mut sender = connect(&server).await;
    let long = body(vec![b'x'; 1024 * 1024 + 1]);
    let long = Request::post("https://h/webhook").body(long).unwrap();
    let (status, text) = send(&mut sender, long).await;
    assert_eq!(status, 413, "{text}");

    // What is longer than the settings of the connection allow h2 answers by itself.
    for (kib, is_ours) in [
        (16, true),
        (60, true),
        (70, true),
        (1000, true),
        (1100, false),
    ] {
        let head = post(0).header("x-fill", "x".repeat(kib * 1024));
        let (status, text) = send(&mut sender, head.body(body("")).unwrap()).await;
        assert_eq!(status, 431, "{kib} KiB: {text}");
        assert_eq!(
            text.contains("\"outcome\":\"rejected\""),
            is_ours,
            "{kib} KiB: {text}"
        );
    }

    let fine = post(2).body(body("{}")).unwrap();
    let (status, text) = send(&mut sender, fine).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(server.intake.seen().len(), 1);
}

#[tokio::test]
async fn a_target_without_a_path_is_404() {
    let server = serving(true).await;
    let mut sender = connect(&server).await;
    let request = Request::connect("example.com:443").body(body("")).unwrap();
    let (status, text) = send(&mut sender, request).await;
    assert_eq!(status, 404, "{text}");
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        http2: true,
        ..settings(folder.path())
    };
    let limits = Limits {
        idle: Duration::from_millis(150),
        ..Limits::default()
    };
    let server = Server::tls_with_limits(tls, limits).await;
    let mut sender = connect(&server).await;
    let fine = post(2).body(body("{}")).unwrap();
    assert_eq!(send(&mut sender, fine).await.0, 200);
    let closed = async {
        while sender.ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed)
        .await
        .expect("it stays open");
}

/// The end of the body comes only after the server was asked to stop.
#[tokio::test]
async fn a_stream_in_work_is_finished() {
    let mut server = serving(true).await;
    let mut sender = connect(&server).await;
    let (finish, finished) = oneshot::channel::<()>();
    let frame = |bytes| Ok::<_, Infallible>(Frame::data(Bytes::from_static(bytes)));
    let end = stream::once(async move {
        finished.await.unwrap();
        frame(b"}")
    });
    let frames = stream::iter([frame(b"{")]).chain(end);
    let request = Request::post("https://h/webhook")
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    // The answer to a second request shows that the first one has arrived.
    let fine = post(2).body(body("[]")).unwrap();
    assert_eq!(send(&mut sender, fine).await.0, 200);
    server.stop();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    finish.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    let bodies: Vec<_> = server.intake.seen().into_iter().map(|d| d.body).collect();
    assert_eq!(bodies, [b"[]", b"{}"]);
    server.ended().await;
}
