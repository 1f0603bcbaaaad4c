//! Clients that go away before they have their answer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::tls::setup::TlsSettings;
use image_updater::domain::delivery::Delivery;
use image_updater::domain::tls::TlsPolicy;
use image_updater::ports::delivery_watcher::Answered;
use image_updater::ports::delivery_watcher::DeliveryWatcher;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client;
use crate::support::http2_frame::END_HEADERS;
use crate::support::http2_frame::HEADERS;
use crate::support::http2_frame::POST;
use crate::support::http2_frame::PREFACE;
use crate::support::http2_frame::RESET;
use crate::support::http2_frame::SETTINGS;
use crate::support::http2_frame::frame;
use crate::support::server::{Parts, Server, places, policy, settings};
use crate::support::wire::{PATIENCE, Wire, exchange, request};

/// How a client goes.
#[derive(Debug, Clone, Copy)]
enum Going {
    /// It has no more to say.
    End,
    /// It wants to hear no more.
    Reset,
}

const WAYS: [Going; 2] = [Going::End, Going::Reset];

/// Sends that, and goes.
async fn come_and_go(server: &Server, bytes: &[u8], going: Going) {
    let tcp = TcpStream::connect(server.address).await.unwrap();
    tcp.set_zero_linger().unwrap();
    let mut wire = Wire::new(tcp);
    wire.send(bytes).await;
    if matches!(going, Going::End) {
        wire.shut_down().await;
        wire.rest().await;
    }
}

fn limits(failures: u32) -> Limits {
    Limits {
        failures: NonZeroU32::new(failures),
        ..places(1)
    }
}

async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, met).await.expect("it does not happen");
}

/// What the ways of serving TLS serve.
fn policies() -> Vec<TlsPolicy> {
    let mut policies = vec![TlsPolicy::default()];
    if cfg!(feature = "tls11") {
        policies.push(policy("1.1", "1.3", ""));
    }
    policies
}

async fn tls(policy: TlsPolicy) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        policy,
        ..settings(folder.path())
    };
    Server::tls_with_limits(tls, limits(60)).await
}

/// Load balancers look whether somebody listens. There is one place, so whoever was there before has been judged.
#[tokio::test]
async fn a_connection_that_is_only_opened_is_not_counted() {
    let plain = Server::with_limits(limits(60)).await;
    for going in WAYS.repeat(3) {
        come_and_go(&plain, b"", going).await;
    }
    let reply = exchange(plain.address, request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(plain.meter.silent(), 0);
    for policy in policies() {
        let server = tls(policy.clone()).await;
        for going in WAYS {
            for _ in 0..3 {
                come_and_go(&server, b"", going).await;
            }
            let mut wire = client::wire(server.address).await;
            wire.send(request("GET", "/healthz")).await;
            assert_eq!(wire.reply().await.status, 200);
            assert_eq!(server.meter.silent(), 0, "{going:?} {policy:?}");
        }
    }
}

#[tokio::test]
async fn who_goes_in_a_handshake_is_counted() {
    // The start of a ClientHello.
    let hello = b"\x16\x03\x01\x00\xc8\x01";
    for policy in policies() {
        let server = tls(policy).await;
        for (before, going) in WAYS.into_iter().enumerate() {
            come_and_go(&server, hello, going).await;
            until(|| server.meter.silent() > before).await;
        }
    }
}

#[tokio::test]
async fn who_goes_in_a_head_is_counted() {
    for going in WAYS {
        let server = Server::with_limits(limits(1)).await;
        come_and_go(&server, b"GET / HT", going).await;
        until(|| server.meter.silent() > 0).await;
        let reply = exchange(server.address, request("GET", "/nowhere")).await;
        assert_eq!(reply.status, 429, "{going:?}");
        assert_eq!(server.meter.silent(), 1, "{going:?}");
    }
}

/// How many deliveries came, and how many of them ended.
#[derive(Default)]
struct Seen {
    arrived: AtomicUsize,
    ended: AtomicUsize,
}

impl DeliveryWatcher for Seen {
    fn arrived(&self, _: &Delivery) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
    }

    fn answered(&self, answered: Answered<'_>) {
        assert!(!answered.outcome.is_taken());
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Seen {
    async fn has_arrived(&self) {
        until(|| self.arrived.load(Ordering::SeqCst) > 0).await;
    }

    async fn has_ended(&self) {
        until(|| self.ended.load(Ordering::SeqCst) > 0).await;
    }
}

fn watched() -> (Parts, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let parts = Parts {
        limits: limits(1),
        watcher: Some(Arc::clone(&seen) as _),
        ..Parts::default()
    };
    (parts, seen)
}

#[tokio::test]
async fn who_goes_in_a_body_is_counted() {
    let (parts, seen) = watched();
    let server = Server::of(parts).await;
    let tcp = TcpStream::connect(server.address).await.unwrap();
    tcp.set_zero_linger().unwrap();
    let mut wire = Wire::new(tcp);
    wire.send("POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{")
        .await;
    seen.has_arrived().await;
    drop(wire);
    seen.has_ended().await;
    let reply = exchange(server.address, request("GET", "/nowhere")).await;
    assert_eq!(reply.status, 429);
}

#[tokio::test]
async fn who_takes_a_stream_back_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsSettings {
        http2: true,
        ..settings(folder.path())
    };
    let (parts, seen) = watched();
    let server = Server::tls_of(tls, parts).await;
    let stream = client::connect(server.address, &["h2"]).await.unwrap();
    let mut wire = Wire::new(stream);
    wire.send(PREFACE).await;
    wire.send(frame(SETTINGS, 0, 0, &[])).await;
    wire.send(frame(HEADERS, END_HEADERS, 1, POST)).await;
    seen.has_arrived().await;
    wire.send(frame(RESET, 0, 1, &[0, 0, 0, 8])).await;
    seen.has_ended().await;
    let mut wire = client::wire(server.address).await;
    wire.send(request("GET", "/nowhere")).await;
    assert_eq!(wire.reply().await.status, 429);
}
