//! Bodies and proofs that are made to cost much or to be taken for others, against the intake that the program has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::secrets::memory::MemorySecrets;
use image_updater::adapters::senders;
use image_updater::app::intake::Intake;
use image_updater::domain::secret_policy::Secret;
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::domain::secret_policy::Secrets;
use image_updater::domain::secret_policy::hub_signature;

use crate::support::server::Server;
use crate::support::wire::{Reply, exchange};

const MIB: usize = 1024 * 1024;

/// Everybody is open, so that whatever comes is read.
fn open() -> Intake {
    intake(false)
}

/// GHCR and Quay have the secret `s`.
fn closed() -> Intake {
    intake(true)
}

fn intake(require_secret: bool) -> Intake {
    let secrets = MemorySecrets::default();
    if require_secret {
        for name in ["ghcr", "quay", "harbor", "cloudevents"] {
            secrets.set(name, Secrets::parse("s"));
        }
    }
    Intake {
        decoders: senders::all(),
        secrets: Arc::new(secrets),
        policy: SecretPolicy { require_secret },
        queue: Arc::new(InMemoryQueue::new(8)),
    }
}

fn delivery(query: &str, headers: &str, body: &str) -> String {
    format!(
        "POST /webhook?{query} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-GitHub-Event: package\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The answer, which has to come long before any time-out.
async fn soon(server: &Server, request: String) -> Reply {
    let start = Instant::now();
    let reply = exchange(server.address, request).await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}: {reply:?}");
    reply
}

#[tokio::test]
async fn deep_json_is_refused_by_every_sender() {
    let server = Server::with_real_intake(open()).await;
    let deep = 100_000;
    for body in [
        "[".repeat(deep),
        "[".repeat(deep) + &"]".repeat(deep),
        r#"{"a":"#.repeat(deep) + "1" + &"}".repeat(deep),
        // Inside of what is read, and of what is skipped.
        format!(
            r#"{{"repository":{}1{}}}"#,
            r#"{"a":"#.repeat(deep),
            "}".repeat(deep)
        ),
        format!(r#"{{"skipped":{}{}}}"#, "[".repeat(deep), "]".repeat(deep)),
    ] {
        for sender in senders::all() {
            let query = format!("type={}", sender.profile().name);
            let reply = soon(&server, delivery(&query, "", &body)).await;
            let name = sender.profile().name;
            let start: String = body.chars().take(24).collect();
            assert!(
                matches!(reply.status, 400 | 200),
                "{name} {start}: {reply:?}"
            );
            assert_ne!(reply.json()["outcome"], "accepted", "{name} {start}");
        }
    }
}

#[tokio::test]
async fn huge_json_is_refused_by_every_sender() {
    let server = Server::with_real_intake(open()).await;
    let room = MIB - 64;
    for body in [
        format!("[{}1]", "1,".repeat(room / 2)),
        format!("{{{}\"a\":1}}", r#""a":1,"#.repeat(room / 6)),
        format!("\"{}\"", "\\u0041".repeat(room / 6)),
        format!("{{\"tag\":{}}}", "9".repeat(room)),
        "{\"tag\":1e999999999}".to_owned(),
        format!("[{}[]]", "[],".repeat(room / 3)),
        " ".repeat(room),
        "\0".repeat(room),
    ] {
        for sender in senders::all() {
            let name = sender.profile().name;
            let reply = soon(&server, delivery(&format!("type={name}"), "", &body)).await;
            let start: String = body.chars().take(24).collect();
            assert!(
                matches!(reply.status, 400 | 200),
                "{name} {start}: {reply:?}"
            );
            assert_ne!(reply.json()["outcome"], "accepted", "{name} {start}");
            assert!(
                reply.body.len() < 2048,
                "{name} {start}: {} bytes",
                reply.body.len()
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_authentic_is_not_read_however_deep_it_is() {
    let server = Server::with_real_intake(closed()).await;
    let body = "[".repeat(100_000);
    for (query, headers) in [
        ("type=quay.io&secret=t", ""),
        ("type=harbor", "Authorization: t\r\n"),
        ("type=ghcr.io", "X-Hub-Signature-256: sha256=00\r\n"),
    ] {
        let reply = soon(&server, delivery(query, headers, &body)).await;
        assert_eq!(reply.status, 401, "{query}");
        assert_eq!(reply.message(), "Invalid webhook secret", "{query}");
    }
}

const PUSH: &str = r#"{"docker_url":"quay.io/a/b","updated_tags":["1"]}"#;

/// Where a proof comes twice the first one counts, for everybody who reads it.
#[tokio::test]
async fn a_second_proof_does_not_count() {
    let server = Server::with_real_intake(closed()).await;
    for (query, status) in [
        ("type=quay.io&secret=s&secret=t", 200),
        ("type=quay.io&secret=t&secret=s", 401),
        ("type=quay.io&secret=&secret=s", 401),
        ("type=quay.io&secret=s%00", 401),
        ("type=quay.io&secret=%00s", 401),
        ("type=quay.io&secret=s%0d%0a", 401),
        ("type=quay.io&secret=s%20", 401),
        ("type=quay.io&SECRET=s", 401),
        ("type=quay.io&secret[]=s", 401),
        ("type=quay.io;secret=s", 404),
        ("type=quay.io%00&secret=s", 404),
        ("type=Quay.io&secret=s", 404),
        ("type=x&type=quay.io&secret=s", 404),
        ("type=quay.io&type=x&secret=s", 200),
    ] {
        let reply = soon(&server, delivery(query, "", PUSH)).await;
        assert_eq!(reply.status, status, "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn a_second_signature_does_not_count() {
    let server = Server::with_real_intake(closed()).await;
    let secret = Secret::parse("s").unwrap();
    let body = r#"{"zen":"no push"}"#;
    let good = hub_signature(&secret, body.as_bytes());
    let bad = hub_signature(&secret, b"another body");
    let header = |value: &str| format!("X-Hub-Signature-256: {value}\r\n");
    let sha1 = "X-Hub-Signature: sha1=0123456789012345678901234567890123456789\r\n";
    for (headers, is_in) in [
        (header(&good), true),
        (header(&good) + &header(&bad), true),
        (header(&bad) + &header(&good), false),
        (header(&format!("{bad}, {good}")), false),
        (header(&good.to_uppercase()), false),
        (header(&good.replace("sha256=", "sha1=")), false),
        (header(&good[..good.len() - 2]), false),
        (sha1.to_owned(), false),
        (header("") + sha1, false),
    ] {
        let reply = soon(&server, delivery("type=ghcr.io", &headers, body)).await;
        assert_eq!(reply.status != 401, is_in, "{headers}: {reply:?}");
    }
}

/// A value that no header can hold ends the connection before anybody compares it.
#[tokio::test]
async fn values_that_are_no_values_are_no_proof() {
    let server = Server::with_real_intake(closed()).await;
    for value in ["s\0", "\0s", "s\r", "s\u{7f}"] {
        let headers = format!("Authorization: {value}\r\n");
        let reply = soon(&server, delivery("type=harbor", &headers, "{}")).await;
        assert_eq!(reply.status, 400, "{value:?}");
    }
    // Blanks around a value are none of it.
    let reply = soon(
        &server,
        delivery("type=harbor", "Authorization: \t s \t\r\n", "{}"),
    )
    .await;
    assert_ne!(reply.status, 401, "{reply:?}");
    // What is no text is no proof.
    let mut bytes = delivery("type=harbor", "Authorization: s?\r\n", "{}").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
    let last = bytes[at + 1..]
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap();
    bytes[at + 1 + last] = 0xff;
    assert_eq!(exchange(server.address, bytes).await.status, 401);
}
