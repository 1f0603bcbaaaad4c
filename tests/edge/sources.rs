//! Who sends too much that fails, who comes from elsewhere, and for whom a proxy speaks.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::secrets::memory::MemorySecrets;
use image_updater::adapters::senders;
use image_updater::app::intake::Intake;
use image_updater::domain::admission::Admission;
use image_updater::domain::admission::allow_list::AllowList;
use image_updater::domain::admission::network::Networks;
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::domain::secret_policy::Secrets;
use image_updater::ports::webhook_intake::{Outcome, Rejection};

use crate::support::client;
use crate::support::intake::FakeIntake;
use crate::support::log::Log;
use crate::support::server::{Parts, Server, places, settings};
use crate::support::wire::{Reply, Wire, exchange, post, request};

const SHORT: Duration = Duration::from_millis(150);

fn at_most(failures: u32) -> Limits {
    Limits {
        failures: NonZeroU32::new(failures),
        ..Limits::default()
    }
}

fn admission(allowed: &str, proxies: &str) -> Admission {
    Admission {
        allowed: AllowList::parse(allowed).unwrap(),
        proxies: Networks::parse(proxies).unwrap(),
        ..Admission::default()
    }
}

fn forwarded(lines: &[&str]) -> String {
    let lines: String = lines
        .iter()
        .map(|line| ["X-Forwarded-For: ", line, "\r\n"].concat())
        .collect();
    format!("POST /webhook?type=t HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: 2\r\n\r\n{{}}")
}

/// An intake as the program has it, which knows one secret.
fn intake() -> Intake {
    let secrets = MemorySecrets::default();
    secrets.set("quay", Secrets::parse("s"));
    Intake {
        decoders: senders::all(),
        secrets: Arc::new(secrets),
        policy: SecretPolicy {
            require_secret: true,
        },
        queue: Arc::new(InMemoryQueue::new(8)),
    }
}

fn quay(secret: &str) -> String {
    let body = r#"{"docker_url":"quay.io/a/b","updated_tags":["1"]}"#;
    let length = body.len();
    format!(
        "POST /webhook?type=quay.io&secret={secret} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The statuses of so many times the same, over one connection.
async fn statuses(server: &Server, request: impl AsRef<[u8]>, times: usize) -> Vec<u16> {
    let mut wire = Wire::connect(server.address).await;
    let mut statuses = Vec::new();
    for _ in 0..times {
        wire.send(&request).await;
        statuses.push(wire.reply().await.status);
    }
    statuses
}

#[tokio::test]
async fn what_fails_too_often_is_answered_429() {
    let server = Server::with_limits(at_most(2)).await;
    assert_eq!(
        statuses(&server, &request("GET", "/nowhere"), 3).await,
        [404, 404, 429]
    );
    let reply = exchange(server.address, request("GET", "/webhook")).await;
    assert_eq!(reply.status, 429);
    let wait: u32 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let json = reply.json();
    assert_eq!(json["outcome"], "rejected");
    assert_eq!(
        reply.message(),
        "too many requests from your address have failed, and so does this one: this path takes POST only"
    );
    assert_eq!(server.meter.limited(), 2);
}

/// Behind an ingress all senders have one address.
#[tokio::test]
async fn what_is_authentic_is_taken_however_much_fails() {
    let server = Server::with_real_intake(intake()).await;
    let wrong = statuses(&server, &quay("wrong"), 100).await;
    // One more is allowed each second.
    let limited = wrong.iter().filter(|status| **status == 429).count();
    assert!(
        wrong[..60].iter().all(|status| *status == 401) && limited > 20,
        "{wrong:?}"
    );
    assert_eq!(statuses(&server, &quay("s"), 3).await, [200, 200, 200]);
    // Its payload is no payload, which is worth an answer of its own to somebody who is known.
    let odd =
        "POST /webhook?type=quay.io&secret=s HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n{";
    assert_eq!(exchange(server.address, odd).await.status, 400);
    assert_eq!(
        exchange(server.address, request("GET", "/healthz"))
            .await
            .status,
        200
    );
    let unknown = quay("s").replace("quay.io&", "nothing&");
    let unknown = statuses(&server, &unknown, 20).await;
    assert!(unknown.contains(&429), "{unknown:?}");
}

#[tokio::test]
async fn every_way_to_fail_counts() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(17 * 1024));
    let huge = "POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n";
    for (bytes, status) in [
        ("what is this?\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (long.as_str(), 431),
        (huge, 413),
        (&request("DELETE", "/webhook"), 405),
        (&request("GET", "/x"), 404),
    ] {
        let server = Server::with_limits(at_most(1)).await;
        let first = exchange(server.address, bytes).await;
        assert_eq!(first.status, status, "{bytes:?}");
        let second = exchange(server.address, bytes).await;
        assert_eq!(second.status, 429, "{bytes:?}");
        let close = |reply: &Reply| reply.header("connection").map(str::to_owned);
        assert_eq!(close(&first), close(&second), "{bytes:?}");
        assert!(second.message().ends_with(&first.message()));
    }
}

#[tokio::test]
async fn a_busy_queue_is_nobodys_fault() {
    let busy = Rejection::Busy {
        retry_after: Duration::from_secs(30),
    };
    let parts = Parts {
        limits: at_most(1),
        ..Parts::default()
    };
    let server = Server::start(parts, FakeIntake::new(Outcome::Rejected(busy))).await;
    assert_eq!(statuses(&server, &post("{}"), 3).await, [503, 503, 503]);
}

#[tokio::test]
async fn a_flood_is_one_line() {
    let log = Log::start();
    let server = Server::with_real_intake(intake()).await;
    statuses(&server, &quay("wrong"), 200).await;
    let lines = log.lines("request answered").len();
    assert!((60..100).contains(&lines), "{lines}");
    let told = log.lines("too many requests that fail");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("WARN") && told[0].contains("source=127.0.0.1"),
        "{told:?}"
    );
    assert!(log.lines("").len() < lines + 10);
}

#[tokio::test]
async fn a_connection_without_a_request_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        handshake: SHORT,
        head: SHORT,
        ..at_most(2)
    };
    let server = Server::tls_with_limits(settings(folder.path()), limits).await;
    for start in ["", "GET / HTTP/1.1\r\n\r\n"] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(start).await;
        wire.rest().await;
    }
    let mut silent = client::wire(server.address).await;
    silent.send("GET / HTTP/1.1\r\n").await;
    silent.rest().await;
    while server.meter.silent() < 3 {
        tokio::task::yield_now().await;
    }
    let mut wire = client::wire(server.address).await;
    wire.send(request("GET", "/nowhere")).await;
    assert_eq!(wire.reply().await.status, 429);
}

/// They fill every place before they shake hands, and more of them wait outside.
#[tokio::test]
async fn who_does_not_shake_hands_keeps_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::tls_with_limits(settings(folder.path()), places(4)).await;
    let mut flood = Vec::new();
    for _ in 0..8 {
        flood.push(Wire::connect(server.address).await);
    }
    let start = Instant::now();
    let mut wire = client::wire(server.address).await;
    wire.send(post("{}")).await;
    assert_eq!(wire.reply().await.status, 200);
    assert!(start.elapsed() < Limits::default().handshake);
}

/// Senders behind an ingress share their address with whoever floods it.
#[tokio::test]
async fn who_has_proved_who_it_is_goes_no_sooner_than_others() {
    let limits = Limits {
        max_connections: places(2).max_connections,
        ..at_most(1)
    };
    let server = Server::with_limits(limits).await;
    let failures = statuses(&server, &request("GET", "/nowhere"), 2).await;
    assert_eq!(failures, [404, 429]);
    let mut sender = Wire::connect(server.address).await;
    sender.send(post("{}")).await;
    assert_eq!(sender.reply().await.status, 200);
    let mut stranger = Wire::connect(server.address).await;
    stranger.send(request("GET", "/healthz")).await;
    assert_eq!(stranger.reply().await.status, 200);
    let reply = exchange(server.address, request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(stranger.rest().await, "");
    sender.send(post("{}")).await;
    assert_eq!(sender.reply().await.status, 200);
}

#[tokio::test]
async fn a_delivery_from_elsewhere_is_turned_away_unread() {
    let admission = admission("192.0.2.0/24,t=198.51.100.0/24", "");
    let server = Server::of(Parts {
        admission,
        ..Parts::default()
    })
    .await;
    // Its body never comes.
    let head = "POST /webhook?type=t HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
    let mut wire = Wire::connect(server.address).await;
    wire.send(head).await;
    let reply = wire.reply().await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.message(),
        "deliveries of this type are not taken from your network"
    );
    assert_eq!(wire.rest().await, "");
    let unknown = post("{}").replace("type=t", "type=u");
    assert_eq!(exchange(server.address, unknown).await.status, 403);
    for path in ["/healthz", "/readyz"] {
        let reply = exchange(server.address, request("GET", path)).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn each_type_has_its_networks() {
    let server = Server::of(Parts {
        admission: admission("t=127.0.0.0/8,u=192.0.2.0/24", ""),
        ..Parts::default()
    })
    .await;
    for (name, status) in [("t", 200), ("u", 403), ("v", 200)] {
        let request = post("{}").replace("type=t", &format!("type={name}"));
        let reply = exchange(server.address, request).await;
        assert_eq!(reply.status, status, "{name}");
        let header = post("{}")
            .replace("?type=t", "")
            .replace("Host: h", &format!("Host: h\r\nX-Registry-Type: {name}"));
        assert_eq!(
            exchange(server.address, header).await.status,
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_proxy_is_believed_where_it_is_trusted() {
    let trusting = Server::of(Parts {
        admission: admission("192.0.2.0/24", "127.0.0.0/8,10.0.0.0/8"),
        ..Parts::default()
    })
    .await;
    for (lines, status) in [
        (&["192.0.2.1"][..], 200),
        (&["192.0.2.1, 10.0.0.1"], 200),
        (&["192.0.2.1", "10.0.0.1"], 200),
        // Made up by the client, in front of what the proxy added.
        (&["192.0.2.1, 203.0.113.1"], 403),
        (&["192.0.2.1", "203.0.113.1, 10.0.0.1"], 403),
        (&["203.0.113.1"], 403),
        (&[], 403),
        (&["unknown"], 403),
    ] {
        let reply = exchange(trusting.address, forwarded(lines)).await;
        assert_eq!(reply.status, status, "{lines:?}");
    }
    let trusting_nobody = Server::of(Parts {
        admission: admission("192.0.2.0/24", ""),
        ..Parts::default()
    })
    .await;
    let reply = exchange(trusting_nobody.address, forwarded(&["192.0.2.1"])).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn a_limit_is_that_of_the_source_behind_the_proxy() {
    let log = Log::start();
    let parts = Parts {
        limits: at_most(1),
        admission: admission("", "127.0.0.0/8"),
        ..Parts::default()
    };
    let rejected = Outcome::Rejected(Rejection::InvalidSecret);
    let server = Server::start(parts, FakeIntake::new(rejected)).await;
    let one = forwarded(&["203.0.113.1"]);
    assert_eq!(statuses(&server, &one, 2).await, [401, 429]);
    let other = forwarded(&["203.0.113.1, 203.0.113.2"]);
    assert_eq!(statuses(&server, &other, 2).await, [401, 429]);
    // The proxy itself stands for many.
    assert_eq!(statuses(&server, &post("{}"), 3).await, [401, 401, 401]);
    let lines = log.lines("source=203.0.113.2");
    assert!(lines[0].contains("remote=127.0.0.1:"), "{lines:?}");
    assert!(lines[0].contains("request answered"), "{lines:?}");
}

/// A proxy passes on what a client made up, whatever bytes it is, in front of what it adds.
#[tokio::test]
async fn bytes_that_are_no_text_hide_no_client() {
    let parts = Parts {
        limits: at_most(1),
        admission: admission("", "127.0.0.0/8"),
        ..Parts::default()
    };
    let rejected = Outcome::Rejected(Rejection::InvalidSecret);
    let server = Server::start(parts, FakeIntake::new(rejected)).await;
    for (name, source) in [("\u{e9}", "203.0.113.9"), ("\u{ff}", "203.0.113.8")] {
        let hop = format!("{name}, {source}");
        let bytes: Vec<u8> = forwarded(&[&hop]).chars().map(|c| c as u8).collect();
        assert!(str::from_utf8(&bytes).is_err());
        assert_eq!(statuses(&server, &bytes, 2).await, [401, 429], "{source}");
        assert_eq!(statuses(&server, forwarded(&[source]), 1).await, [429]);
    }
}
