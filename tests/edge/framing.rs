//! Requests that are framed badly, or so that two readers could disagree where they end.

use crate::support::http2_frame::PREFACE;
use crate::support::http2_frame::SETTINGS;
use crate::support::http2_frame::frame;
use crate::support::server::Server;
use crate::support::wire::{Wire, exchange, post, request};

const HEAD: &str = "POST /webhook?type=t HTTP/1.1\r\nHost: h\r\n";

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    let all = [post("1"), request("GET", "/nowhere"), post("2")].concat();
    wire.send(all).await;
    for status in [200, 404, 200] {
        assert_eq!(wire.reply().await.status, status);
    }
    let bodies: Vec<_> = server.intake.seen().into_iter().map(|d| d.body).collect();
    assert_eq!(bodies, [b"1", b"2"]);
}

#[tokio::test]
async fn chunks_are_put_together() {
    let server = Server::plain().await;
    let chunked =
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    assert_eq!(exchange(server.address, chunked).await.status, 200);
    assert_eq!(server.intake.seen()[0].body, b"abcde");
}

#[tokio::test]
async fn a_length_that_is_none_is_refused() {
    let server = Server::plain().await;
    for lengths in [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1, 2",
        "Content-Length: +1",
        "Content-Length: 0x1",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length : 1",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(format!("{HEAD}{lengths}\r\n\r\n{}", post("smuggled")))
            .await;
        let all = wire.rest().await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{lengths}: {all}");
        assert_eq!(all.matches("HTTP/1.1").count(), 1, "{lengths}: {all}");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn http_1_0_has_no_chunks() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send("POST /webhook HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        .await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 400 "));
    assert!(server.intake.seen().is_empty());
}

/// Where both framings are given, the chunks count, and the connection ends with the answer, as RFC 9112 section 6.1 demands: what
/// follows is never taken for a request.
#[tokio::test]
async fn nothing_is_smuggled_behind_two_framings() {
    let server = Server::plain().await;
    for both in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(format!("{HEAD}{both}\r\n\r\n0\r\n\r\n{}", post("smuggled")))
            .await;
        let all = wire.rest().await;
        assert_eq!(all.matches("HTTP/1.1").count(), 1, "{both}: {all}");
    }
    for delivery in server.intake.seen() {
        assert_eq!(delivery.body, b"");
    }
}

#[tokio::test]
async fn a_chunk_without_a_size_is_refused() {
    let server = Server::plain().await;
    for chunk in [
        "x\r\nabc\r\n",
        "3\r\nabcdef\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunk}"))
            .await;
        let reply = wire.reply().await;
        assert_eq!(reply.status, 400, "{chunk:?}");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(
            reply.message(),
            "Failed to process webhook event: the body is incomplete or badly framed"
        );
        assert_eq!(wire.rest().await, "");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn half_a_body_is_no_delivery() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(format!("{HEAD}Content-Length: 5\r\n\r\nabc"))
        .await;
    wire.shut_down().await;
    assert_eq!(wire.reply().await.status, 400);
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn who_ends_its_side_still_gets_its_answer() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(post("{}")).await;
    wire.shut_down().await;
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn http_2_is_not_spoken_in_clear_text() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat())
        .await;
    let all = wire.rest().await;
    assert!(
        all.is_empty() || all.starts_with("HTTP/1.1 400 "),
        "{all:?}"
    );

    let upgrade = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    assert_eq!(exchange(server.address, upgrade).await.status, 200);
}
