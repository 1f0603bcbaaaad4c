//! What a client may take.

use std::time::Duration;

use image_updater::adapters::http::limits::Limits;
use image_updater::ports::webhook_intake::{Outcome, Rejection};
use tokio::time::timeout;

use crate::support::client;
use crate::support::intake::FakeIntake;
use crate::support::server::{Server, settings};
use crate::support::wire::{Wire, exchange, post, request};

const MIB: usize = 1024 * 1024;
const SHORT: Duration = Duration::from_millis(150);

fn head(framing: &str) -> String {
    format!("POST /webhook HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n")
}

#[tokio::test]
async fn a_body_may_have_a_mebibyte() {
    let server = Server::plain().await;
    let body = "x".repeat(MIB);
    assert_eq!(exchange(server.address, post(&body)).await.status, 200);
    assert_eq!(server.intake.seen()[0].body.len(), MIB);
    let chunked = format!(
        "{}{MIB:x}\r\n{body}\r\n0\r\n\r\n",
        head("Transfer-Encoding: chunked")
    );
    assert_eq!(exchange(server.address, chunked).await.status, 200);
}

#[tokio::test]
async fn a_body_that_announces_more_is_refused_before_it_comes() {
    let server = Server::plain().await;
    for framing in [
        format!("Content-Length: {}", MIB + 1),
        format!("Content-Length: {}\r\nExpect: 100-continue", MIB + 1),
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(head(&framing)).await;
        let reply = wire.reply().await;
        assert_eq!(reply.status, 413);
        assert_eq!(reply.message(), "the body is larger than 1048576 bytes");
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(reply.header("x-delivery-id").is_some());
    }
    assert!(server.intake.seen().is_empty());
}

async fn refusing() -> Server {
    let rejected = Outcome::Rejected(Rejection::MissingSecret);
    Server::with_intake(FakeIntake::new(rejected)).await
}

#[tokio::test]
async fn a_delivery_whose_head_is_refused_need_not_send_its_body() {
    let server = refusing().await;
    for framing in [
        format!("Content-Length: {MIB}"),
        format!("Content-Length: {MIB}\r\nExpect: 100-continue"),
        "Transfer-Encoding: chunked".to_owned(),
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(head(&framing)).await;
        let reply = wire.reply().await;
        assert_eq!(reply.status, 401, "{framing}");
        assert_eq!(reply.message(), "Missing webhook secret");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(wire.rest().await, "");
    }
    // One who sends it all the same finds the answer, too.
    let mut wire = Wire::connect(server.address).await;
    wire.send(post(&"x".repeat(MIB))).await;
    assert_eq!(wire.reply().await.status, 401);
    assert_eq!(wire.rest().await, "");
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn a_refused_delivery_with_a_short_body_keeps_its_connection() {
    let server = refusing().await;
    let mut wire = Wire::connect(server.address).await;
    for _ in 0..2 {
        wire.send(post("{}")).await;
        let reply = wire.reply().await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("connection"), None);
    }
}

/// The client sends on, as most do, and finds the answer all the same.
#[tokio::test]
async fn a_body_that_grows_too_long_is_refused() {
    let server = Server::plain().await;
    for framing in [
        "Transfer-Encoding: chunked".to_owned(),
        format!("Content-Length: {}", 2 * MIB),
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(head(&framing)).await;
        let piece = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
        for _ in 0..32 {
            wire.send(&piece).await;
        }
        let reply = wire.reply().await;
        assert_eq!(reply.status, 413, "{framing}");
        assert_eq!(wire.rest().await, "");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let server = Server::with_limits(Limits {
        body: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(head("Content-Length: 2") + "x").await;
    let reply = wire.reply().await;
    assert_eq!(reply.status, 408);
    assert_eq!(reply.message(), "the body did not arrive within 0.15 s");
    assert_eq!(wire.rest().await, "");
    assert!(server.intake.seen().is_empty());
}

fn head_of(length: usize) -> String {
    let frame = "GET /healthz HTTP/1.1\r\nHost: h\r\nX-Fill: \r\n\r\n";
    let fill = "x".repeat(length - frame.len());
    format!("GET /healthz HTTP/1.1\r\nHost: h\r\nX-Fill: {fill}\r\n\r\n")
}

#[tokio::test]
async fn a_head_may_have_16_kibibytes() {
    let server = Server::plain().await;
    let limit = 16 * 1024;
    let reply = exchange(server.address, head_of(limit)).await;
    assert_eq!(reply.status, 200);
    let reply = exchange(server.address, head_of(limit + 1)).await;
    assert_eq!(reply.status, 431);
    assert_eq!(
        reply.message(),
        "the head of the request is larger than 16384 bytes"
    );
    let target = format!("/healthz?{}", "x".repeat(limit));
    let reply = exchange(server.address, request("GET", &target)).await;
    assert_eq!(reply.status, 431);
}

#[tokio::test]
async fn a_slow_head_ends_the_connection() {
    let server = Server::with_limits(Limits {
        head: SHORT,
        ..Limits::default()
    })
    .await;
    for start in ["", "POST /webhook HTTP/1.1\r\nHost:"] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(start).await;
        assert_eq!(wire.rest().await, "", "{start:?}");
    }
}

#[tokio::test]
async fn a_dripping_head_ends_the_connection() {
    let server = Server::with_limits(Limits {
        head: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(request("GET", "/healthz")).await;
    wire.reply().await;
    let drip = async {
        while wire
            .try_send("GET /healthz HTTP/1.1\r\nX: y\r\n")
            .await
            .is_ok()
        {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    timeout(SHORT * 50, drip).await.expect("it may drip on");
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let server = Server::with_limits(Limits {
        idle: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(post("{}")).await;
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_connection_may_idle_longer_than_a_head_may_take() {
    let server = Server::with_limits(Limits {
        head: SHORT,
        ..Limits::default()
    })
    .await;
    let mut wire = Wire::connect(server.address).await;
    for _ in 0..2 {
        wire.send(post("{}")).await;
        assert_eq!(wire.reply().await.status, 200);
        assert!(timeout(SHORT * 3, wire.rest()).await.is_err());
    }
}

#[tokio::test]
async fn a_handshake_must_come_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        handshake: SHORT,
        ..Limits::default()
    };
    let server = Server::tls_with_limits(settings(folder.path()), limits).await;
    let mut silent = Wire::connect(server.address).await;
    assert_eq!(silent.rest().await, "");
    let mut wire = client::wire(server.address).await;
    wire.send(post("{}")).await;
    assert_eq!(wire.reply().await.status, 200);
}
