//! More clients than there is room for.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::tls::setup::TlsSettings;
use tokio::time::timeout;

use crate::support::client;
use crate::support::intake::{FakeIntake, ignored};
use crate::support::server::{Server, places, settings};
use crate::support::wire::{Wire, exchange, post, request};

/// Long enough for a newcomer to be served who is not to be.
const A_WHILE: Duration = Duration::from_millis(600);

/// A part of a head, and of a body.
const UNFINISHED: [&str; 2] = [
    "P",
    "POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{",
];

fn ready() -> FakeIntake {
    FakeIntake::new(ignored())
}

#[tokio::test]
async fn the_one_that_is_idle_the_longest_makes_room() {
    let server = Server::with_places(4, ready()).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut wire = Wire::connect(server.address).await;
        wire.send(request("GET", "/healthz")).await;
        assert_eq!(wire.reply().await.status, 200);
        idle.push(wire);
    }
    // The first to come is not the one that was idle the longest.
    idle[0].send(post("{}")).await;
    assert_eq!(idle[0].reply().await.status, 200);
    let mut fifth = Wire::connect(server.address).await;
    fifth.send(request("GET", "/healthz")).await;
    assert_eq!(fifth.reply().await.status, 200);
    assert_eq!(idle[1].rest().await, "");
    for stays in [0, 2, 3] {
        idle[stays].send(post("{}")).await;
        assert_eq!(idle[stays].reply().await.status, 200);
    }
}

#[tokio::test]
async fn nobody_makes_room_while_there_is_some() {
    let server = Server::with_places(2, ready()).await;
    let mut idle = Wire::connect(server.address).await;
    idle.send(post("{}")).await;
    assert_eq!(idle.reply().await.status, 200);
    for _ in 0..10 {
        assert_eq!(exchange(server.address, post("{}")).await.status, 200);
    }
    idle.send(post("{}")).await;
    assert_eq!(idle.reply().await.status, 200);
}

#[tokio::test]
async fn the_busy_are_never_cut() {
    let server = Server::with_places(3, FakeIntake::gated(ignored(), 0)).await;
    let mut in_work = Wire::connect(server.address).await;
    in_work.send(post("{}")).await;
    let mut in_head = Wire::connect(server.address).await;
    in_head.send("GET /healthz HTTP/1.1\r\nHost:").await;
    let mut in_body = Wire::connect(server.address).await;
    in_body.send(UNFINISHED[1]).await;
    let mut newcomer = Wire::connect(server.address).await;
    newcomer.send(request("GET", "/healthz")).await;
    assert!(timeout(A_WHILE, newcomer.reply()).await.is_err());

    // One that has its answer makes room.
    server.intake.release();
    assert_eq!(in_work.reply().await.status, 200);
    assert_eq!(newcomer.reply().await.status, 200);
    assert_eq!(in_work.rest().await, "");
    server.intake.release();
    in_body.send("}").await;
    assert_eq!(in_body.reply().await.status, 200);
    in_head.send(" h\r\n\r\n").await;
    assert_eq!(in_head.reply().await.status, 200);
}

/// Each holds a place with the start of a request, and there are always more of them.
#[tokio::test]
async fn the_suspect_hold_no_place_by_what_they_do_not_end() {
    let limits = Limits {
        failures: NonZeroU32::new(1),
        ..places(3)
    };
    let server = Server::with_limits(limits).await;
    // It proves who it is, and then is as slow as the others.
    let mut sender = Wire::connect(server.address).await;
    sender.send(post("{}")).await;
    assert_eq!(sender.reply().await.status, 200);
    sender.send(UNFINISHED[1]).await;
    // One is there before its source is over its limit.
    let mut first = Wire::connect(server.address).await;
    for status in [404, 429] {
        first.send(request("GET", "/nowhere")).await;
        assert_eq!(first.reply().await.status, status);
    }
    first.send(UNFINISHED[1]).await;
    let mut flood = Vec::new();
    for part in UNFINISHED.into_iter().cycle().take(6) {
        let mut wire = Wire::connect(server.address).await;
        wire.send(part).await;
        flood.push(wire);
    }
    let start = Instant::now();
    let reply = exchange(server.address, request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    assert!(start.elapsed() < Limits::default().head);
    assert_eq!(first.rest().await, "");
    assert_eq!(flood[0].rest().await, "");
    sender.send("}").await;
    assert_eq!(sender.reply().await.status, 200);
}

#[tokio::test]
async fn a_flood_of_silence_does_not_hide_the_probe() {
    let server = Server::with_places(4, ready()).await;
    let mut flood = Vec::new();
    for _ in 0..16 {
        flood.push(Wire::connect(server.address).await);
    }
    let reply = exchange(server.address, request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(flood[0].rest().await, "");
}

/// Whoever waits is not forgotten where the one in front of it goes away by itself.
#[tokio::test]
async fn one_that_leaves_makes_room() {
    let server = Server::with_places(1, FakeIntake::gated(ignored(), 0)).await;
    let mut busy = Wire::connect(server.address).await;
    busy.send(post("{}")).await;
    while server.intake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut newcomer = Wire::connect(server.address).await;
    newcomer.send(request("GET", "/healthz")).await;
    drop(busy);
    server.intake.release();
    assert_eq!(newcomer.reply().await.status, 200);
}

#[tokio::test]
async fn a_crowd_is_served_in_turn() {
    let server = Server::with_places(4, ready()).await;
    let crowd = (0..40).map(|_| {
        let address = server.address;
        tokio::spawn(async move { exchange(address, post("{}")).await.status })
    });
    for client in crowd.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap(), 200);
    }
}

/// Each takes the place of the one before it, which does not close its side.
#[tokio::test]
async fn room_is_made_over_tls_and_http_2() {
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        http2: true,
        ..settings(folder.path())
    };
    let server = Server::tls_with_limits(tls, places(1)).await;
    let start = Instant::now();
    let mut before = client::wire(server.address).await;
    for _ in 0..2 {
        let mut next = client::wire(server.address).await;
        next.send(request("GET", "/healthz")).await;
        assert_eq!(next.reply().await.status, 200);
        assert_eq!(before.rest().await, "");
        let _silent = client::connect(server.address, &["h2"]).await.unwrap();
        assert_eq!(next.rest().await, "");
        before = client::wire(server.address).await;
    }
    // Well before any time-out, though the silent ones do not answer HTTP/2's goodbye.
    assert!(start.elapsed() < Limits::default().head);
}

#[tokio::test]
async fn whoever_waits_is_sent_away_in_the_end() {
    let mut server = Server::with_places(1, FakeIntake::gated(ignored(), 0)).await;
    let mut busy = Wire::connect(server.address).await;
    busy.send(post("{}")).await;
    while server.intake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut waits = Wire::connect(server.address).await;
    server.stop();
    assert_eq!(waits.rest().await, "");
    server.intake.release();
    assert_eq!(busy.reply().await.status, 200);
    server.ended().await;
}
