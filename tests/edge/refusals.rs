//! What never becomes a request is answered as everything else is.

use crate::support::client;
use crate::support::log::Log;
use crate::support::server::{Server, settings};
use crate::support::wire::{Reply, Wire, post, request};

const KIB: usize = 1024;

/// The start of a TLS client hello.
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// The answer, after which the connection ends. The client may still be sending when it comes.
async fn refused(server: &Server, request: impl AsRef<[u8]>) -> Reply {
    let mut wire = Wire::connect(server.address).await;
    let _ = wire.try_send(request).await;
    let reply = wire.reply().await;
    assert_eq!(wire.rest().await, "", "{reply:?}");
    check(&reply);
    reply
}

fn check(reply: &Reply) {
    let json = reply.json();
    assert_eq!(json["outcome"], "rejected", "{reply:?}");
    assert_eq!(json["images"], serde_json::json!([]));
    let id = json["delivery"].as_str();
    assert!(id.is_some_and(|id| !id.is_empty()));
    assert_eq!(reply.header("x-delivery-id"), id);
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("date").is_some());
}

fn head(fill: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{fill}\r\n")
}

fn long(length: usize) -> String {
    head(&format!("X-Fill: {}\r\n", "x".repeat(length)))
}

fn fields(count: usize) -> String {
    head(&"X-Y: z\r\n".repeat(count - 1))
}

#[tokio::test]
async fn too_large_a_head() {
    let server = Server::plain().await;
    for head in [
        long(17 * KIB),
        long(70 * KIB),
        long(KIB * KIB),
        fields(101),
        fields(300),
        request("GET", &format!("/healthz?{}", "x".repeat(70 * KIB))),
    ] {
        let reply = refused(&server, &head).await;
        assert_eq!(reply.status, 431, "{} bytes", head.len());
        let message = reply.message();
        assert!(
            message.starts_with("the head of the request is larger than 16384 bytes"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_hundred_fields_are_fine() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(fields(100)).await;
    assert_eq!(wire.reply().await.status, 200);
}

#[tokio::test]
async fn what_is_no_request() {
    let server = Server::plain().await;
    let framed =
        |framing: &str| format!("POST /webhook?type=t HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n");
    for bytes in [
        framed("Content-Length: x").into_bytes(),
        framed("Content-Length: 1\r\nContent-Length: 2").into_bytes(),
        framed("Transfer-Encoding: gzip").into_bytes(),
        framed(" : y").into_bytes(),
        b"what is this?\r\n\r\n".to_vec(),
        b"GET /healthz\r\n\r\n".to_vec(),
        b"GET /healthz HTTP/3.0\r\n\r\n".to_vec(),
        b"POST /webhook HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        HELLO.to_vec(),
    ] {
        let reply = refused(&server, &bytes).await;
        assert_eq!(reply.status, 400, "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(
            reply.message(),
            "this is no HTTP request, or it is badly framed"
        );
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn behind_a_good_request() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(post("{}") + &request("GET", "/healthz") + "what is this?\r\n\r\n")
        .await;
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.reply().await.status, 200);
    let reply = wire.reply().await;
    assert_eq!(reply.status, 400);
    check(&reply);
    assert_eq!(wire.rest().await, "");
}

/// An old client that keeps its connection makes hyper answer in its version.
#[tokio::test]
async fn after_http_1_0() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        .await;
    assert_eq!(wire.reply().await.status, 200);
    wire.send("what is this?\r\n\r\n").await;
    let reply = wire.reply().await;
    assert_eq!(reply.status, 400);
    check(&reply);
}

#[tokio::test]
async fn over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::tls(settings(folder.path())).await;
    let mut wire = client::wire(server.address).await;
    wire.send(fields(101)).await;
    let reply = wire.reply().await;
    assert_eq!(reply.status, 431);
    check(&reply);
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn the_log_has_the_line_of_any_request() {
    let log = Log::start();
    let server = Server::plain().await;
    let reply = refused(&server, fields(101)).await;
    let id = reply.json()["delivery"].as_str().unwrap().to_owned();
    let lines = log.lines(&id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("request answered"), "{lines:?}");
    for part in ["INFO", "status=431", "remote=127.0.0.1:"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}
