//! The HTTP edge as a whole: the bytes of a connection, into the routes, the intake and the decoders that the program has.
//!
//! The first byte says whether everybody is let in, which version of HTTP is spoken, and whether a proxy is trusted. In HTTP/1.1 a form feed,
//! which no head can hold, ends what is sent at once. Time passes when nothing else is to be done, so no time-out is waited for.

#![no_main]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::LazyLock;

use http::Version;
use image_updater::adapters::http::limits::Limits;
use image_updater::adapters::http::readiness::Readiness;
use image_updater::adapters::http::server::Edge;
use image_updater::adapters::http::server::serve_one;
use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::metrics::meters::Meters;
use image_updater::adapters::secrets::memory::MemorySecrets;
use image_updater::adapters::senders;
use image_updater::app::intake::Intake;
use image_updater::domain::admission::Admission;
use image_updater::domain::admission::network::Networks;
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::domain::secret_policy::Secrets;
use libfuzzer_sys::fuzz_target;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
});

fuzz_target!(|bytes: &[u8]| {
    let Some((shape, rest)) = bytes.split_first() else {
        return;
    };
    let (is_open, is_http2, has_proxy) = (shape & 1 == 1, shape & 2 == 2, shape & 4 == 4);
    let (ours, theirs) = tokio::io::duplex(16 * 1024);
    let version = if is_http2 { Version::HTTP_2 } else { Version::HTTP_11 };
    let peer = SocketAddr::from(([10, 0, 0, 1], 1));
    let serving = serve_one(
        (ours, version, None),
        peer,
        edge(is_open, has_proxy),
    );
    let answered = RUNTIME.block_on(async {
        let ((), answered) = tokio::join!(serving, converse(theirs, rest, is_http2));
        answered
    });
    if !is_http2 {
        check(&answered, is_open);
    }
});

/// With a secret that no bytes happen to hold, nobody gets in who has not been told it.
fn edge(is_open: bool, has_proxy: bool) -> Edge {
    let secrets = MemorySecrets::default();
    if !is_open {
        for sender in senders::all() {
            let name = sender.profile().secret_name;
            secrets.set(name, Secrets::parse("c98e1f0b-7a55-4a1c-9b1e-5f0f6f3a8d21"));
        }
    }
    let proxies = if has_proxy { "10.0.0.0/8" } else { "" };
    let intake = Intake {
        decoders: senders::all(),
        secrets: Arc::new(secrets),
        policy: SecretPolicy {
            require_secret: !is_open,
        },
        queue: Arc::new(InMemoryQueue::new(4)),
    };
    let readiness = Readiness::default();
    readiness.set(true);
    Edge {
        intake: Arc::new(intake),
        readiness,
        limits: Limits::default(),
        admission: Admission {
            proxies: Networks::parse(proxies).expect("a network"),
            ..Admission::default()
        },
        meter: Arc::new(Meters::new([])),
        watcher: None,
    }
}

/// Sends everything, part by part, and reads until the other side ends.
async fn converse(stream: DuplexStream, bytes: &[u8], is_http2: bool) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(stream);
    let send = async move {
        for part in bytes.split(|byte| !is_http2 && *byte == b'\x0c') {
            if write.write_all(part).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = write.shutdown().await;
    };
    let mut answered = Vec::new();
    let (_, ()) = tokio::join!(read.read_to_end(&mut answered), send);
    answered
}

/// What comes back is a row of whole answers, each of ours.
fn check(mut answered: &[u8], is_open: bool) {
    const STATUSES: [&str; 13] = [
        "100", "200", "400", "401", "403", "404", "405", "408", "413", "417", "429", "431", "503",
    ];
    while !answered.is_empty() {
        let end = answered
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .expect("a head without an end");
        let head = std::str::from_utf8(&answered[..end]).expect("a head that is no text");
        answered = &answered[end + 4..];
        let status = head.get(9..12).expect("no status");
        assert!(head.starts_with("HTTP/1.") && STATUSES.contains(&status), "{head}");
        if status == "100" {
            continue;
        }
        assert!(head.contains("\r\nx-delivery-id: "), "{head}");
        let length: usize = head
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length: "))
            .expect("no length")
            .parse()
            .expect("no number");
        // The answer to HEAD has a length and no body.
        if answered.is_empty() || answered.starts_with(b"HTTP/1.") {
            continue;
        }
        let body = answered.get(..length).expect("half a body");
        answered = &answered[length..];
        if head.contains("\r\ncontent-type: application/json") {
            let json: serde_json::Value = serde_json::from_slice(body).expect("no JSON");
            let outcome = json["outcome"].as_str().expect("no outcome");
            assert_eq!(status == "200", outcome != "rejected", "{head}");
            assert!(is_open || outcome == "rejected", "{json}");
        }
    }
}
