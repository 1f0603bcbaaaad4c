//! Nothing secret is logged, whatever is switched on.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use image_updater::adapters::tls::setup::TlsSettings;

use crate::support::client;
use crate::support::log::everything;
use crate::support::server::{Server, settings};
use crate::support::wire::{Wire, exchange};

const SECRET: &str = "hunter2-which-is-nowhere-else";

/// The log of this whole process at `trace`, that of the libraries included.
#[tokio::test]
async fn no_log_at_any_level_holds_a_secret() {
    let log = everything();
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        http2: true,
        ..settings(folder.path())
    };
    let (plain, tls) = (Server::plain().await, Server::tls(tls).await);
    for path in ["/webhook", "/healthz", "/no/such/path"] {
        let request = format!(
            "POST {path}?type=quay.io&secret={SECRET} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {SECRET}\r\n\
             X-Webhook-Secret: {SECRET}\r\nCookie: {SECRET}\r\nContent-Length: {}\r\n\r\n{SECRET}",
            SECRET.len()
        );
        exchange(plain.address, &request).await;
        let mut wire = client::wire(tls.address).await;
        wire.send(&request).await;
        wire.reply().await;
        over_http2(&tls, path).await;
    }
    // Where a query starts with the wrong character, the secret gets into the type or the path.
    for mistyped in [
        format!("/webhook?type=quay.io?secret={SECRET}"),
        format!("/webhook?type=quay.io%26secret%3D{SECRET}"),
        format!("/webhook&type=quay.io&secret={SECRET}"),
        format!("/webhook%3Ftype=quay.io%26secret={SECRET}"),
    ] {
        let request = format!("POST {mistyped} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        exchange(plain.address, &request).await;
    }
    for broken in [
        format!("POST /webhook?secret={SECRET} HTTP/9.9\r\nAuthorization: {SECRET}\r\n\r\n"),
        format!("POST /webhook HTTP/1.1\r\nAuthorization {SECRET}\r\n\r\n"),
        format!("POST /webhook HTTP/1.1\r\nContent-Length: {SECRET}\r\n\r\n"),
        format!("POST /webhook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n"),
        format!("{SECRET}\0"),
    ] {
        let mut wire = Wire::connect(plain.address).await;
        wire.send(broken).await;
        wire.shut_down().await;
        wire.rest().await;
    }

    let lines = log.lines("");
    for target in ["h2::", "rustls::", "warp::", "image_updater::"] {
        assert!(lines.iter().any(|l| l.contains(target)), "{target} is mute");
    }
    // warp tells of every path at `trace`, at which the program does not listen to it.
    let leaks: Vec<_> = lines
        .iter()
        .filter(|l| l.contains("hunter2") && !l.contains("TRACE warp::filters::path"))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

async fn over_http2(server: &Server, path: &str) {
    let stream = client::connect(server.address, &["h2"]).await.unwrap();
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("https://h{path}?type=quay.io&secret={SECRET}"))
        .header("authorization", SECRET)
        .header("x-webhook-secret", SECRET)
        .body(Full::<Bytes>::from(SECRET))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    answer.into_body().collect().await.unwrap();
}
