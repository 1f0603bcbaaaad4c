//! How it ends.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client;
use crate::support::intake::{FakeIntake, ignored};
use crate::support::server::{Server, settings};
use crate::support::wire::{Wire, post, request};

/// Waits until the intake has so many deliveries in hand.
async fn in_hand(server: &Server, count: usize) {
    while server.intake.seen().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_being_answered_is_finished() {
    let mut server = Server::with_intake(FakeIntake::gated(ignored(), 0)).await;
    let mut busy = Wire::connect(server.address).await;
    busy.send(post("{}")).await;
    in_hand(&server, 1).await;
    server.stop();
    // Nobody new is let in.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.intake.release();
    let reply = busy.reply().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(busy.rest().await, "");
    drop(busy);
    server.ended().await;
}

#[tokio::test]
async fn a_body_on_its_way_is_waited_for() {
    let mut server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(
        "POST /webhook HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    )
    .await;
    assert_eq!(wire.reply().await.status, 100);
    server.stop();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    wire.send("{}").await;
    assert_eq!(wire.reply().await.status, 200);
    server.ended().await;
}

#[tokio::test]
async fn idle_connections_and_handshakes_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::tls(settings(folder.path())).await;
    let mut idle = client::wire(server.address).await;
    idle.send(post("{}")).await;
    assert_eq!(idle.reply().await.status, 200);
    let mut fresh = client::wire(server.address).await;
    let mut silent = Wire::connect(server.address).await;
    server.stop();
    assert_eq!(idle.rest().await, "");
    assert_eq!(fresh.rest().await, "");
    assert_eq!(silent.rest().await, "");
    server.ended().await;
}

#[tokio::test]
async fn a_server_that_is_not_ready_takes_deliveries_and_sends_clients_away() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(post("{}")).await;
    assert_eq!(wire.reply().await.header("connection"), None);
    server.readiness.set(false);
    wire.send(post("{}")).await;
    let reply = wire.reply().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(wire.rest().await, "");
    assert_eq!(server.intake.seen().len(), 2);
}

#[tokio::test]
async fn dropping_it_ends_everything() {
    let server = Server::with_intake(FakeIntake::gated(ignored(), 0)).await;
    let mut busy = Wire::connect(server.address).await;
    busy.send(post("{}")).await;
    in_hand(&server, 1).await;
    drop(server);
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn a_client_that_stays_does_not_keep_it_from_ending() {
    let mut server = Server::plain().await;
    let mut stays = Wire::connect(server.address).await;
    stays.send(request("GET", "/healthz")).await;
    assert_eq!(stays.reply().await.status, 200);
    server.stop();
    timeout(Duration::from_secs(5), server.ended())
        .await
        .expect("it waits for a client that has nothing to say");
}
