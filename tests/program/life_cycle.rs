//! Rate, bounds and the end of a process.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use crate::deliver::announce;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::wait_for_text;

const SECRET: &str = "s";

/// A folder with Applications `app0` .. that run version 1.0.0 of an image of their own.
fn folder(applications: usize) -> Folder {
    let folder = Folder::new(SECRET);
    for n in 0..applications {
        let image = format!("ghcr.io/acme/app{n}");
        folder.add(
            &format!("app{n}"),
            &format!("{image}:1.0.0"),
            &format!("{image}:^1"),
            "",
        );
    }
    folder
}

fn with(folder: &Folder, flags: &[&str]) -> Vec<String> {
    let mut all = folder.flags();
    all.extend(flags.iter().map(|flag| (*flag).to_owned()));
    all
}

#[tokio::test]
async fn one_event_an_hour_is_worked_on_and_the_end_brings_the_rest() {
    let folder = folder(3);
    let mut server = Server::start(with(&folder, &["--webhook-ratelimit-allowed", "1"]));
    for n in 0..3 {
        announce(
            &server,
            "ghcr.io",
            &format!("ghcr.io/acme/app{n}:1.1.0"),
            SECRET,
        )
        .await;
    }
    wait_for_text(&folder.application("app0"), "app0:1.1.0");
    // What leads to no work takes no turn and waits for none.
    announce(&server, "ghcr.io", "ghcr.io/acme/unknown:1.1.0", SECRET).await;
    announce(&server, "ghcr.io", "ghcr.io/acme/app0:1.0.5", SECRET).await;
    server.log.wait_for(&["outcome=unmatched"]);
    server.log.wait_for(&["outcome=unchanged"]);
    assert_eq!(server.log.with(&["outcome=changed"]).len(), 1);
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log.text());
    for n in 0..3 {
        assert!(
            fs::read_to_string(folder.application(&format!("app{n}")))
                .unwrap()
                .contains("1.1.0")
        );
    }
    let order = server.log.wait_for_count(3, &["outcome=changed"]);
    assert!(
        order[1].contains("app1") && order[2].contains("app2"),
        "{order:?}"
    );
}

#[tokio::test]
async fn one_application_a_minute_is_changed_and_the_end_brings_the_rest() {
    let folder = folder(3);
    let mut server = Server::start(with(&folder, &["--max-updates-per-minute", "1"]));
    for n in 0..3 {
        let image = format!("ghcr.io/acme/app{n}:1.1.0");
        announce(&server, "ghcr.io", &image, SECRET).await;
    }
    server.log.wait_for(&["outcome=changed"]);
    assert_eq!(server.log.with(&["outcome=changed"]).len(), 1);
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log.text());
    server.log.wait_for_count(3, &["outcome=changed"]);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let folder = folder(3);
    let flags = [
        "--webhook-ratelimit-allowed",
        "1",
        "--webhook-queue-size",
        "1",
    ];
    let server = Server::start(with(&folder, &flags));
    announce(&server, "ghcr.io", "ghcr.io/acme/app0:1.1.0", SECRET).await;
    wait_for_text(&folder.application("app0"), "app0:1.1.0");
    server.log.wait_for(&["outcome=changed"]);
    let mut answers = Vec::new();
    for n in [1, 2] {
        answers.push(
            deliver(
                &server,
                "ghcr.io",
                &format!("ghcr.io/acme/app{n}:1.1.0"),
                SECRET,
            )
            .await,
        );
    }
    assert_eq!(
        (answers[0].status, answers[1].status),
        (200, 503),
        "{answers:?}"
    );
    assert!(answers[1].body.contains("queue is full"), "{answers:?}");
}

#[tokio::test]
async fn a_delay_keeps_the_door_open_and_readiness_off() {
    let folder = folder(1);
    let mut server = Server::start(with(&folder, &["--shutdown-delay", "2s"]));
    server.log.wait_for(&["msg=ready"]);
    assert_eq!(status(&server, "/readyz").await, Some(200));
    let start = Instant::now();
    server.signal("TERM");
    server.log.wait_for(&["shutting down"]);
    assert_eq!(status(&server, "/readyz").await, Some(503));
    assert_eq!(status(&server, "/healthz").await, Some(200));
    announce(&server, "ghcr.io", "ghcr.io/acme/app0:1.1.0", SECRET).await;
    assert!(server.wait().success());
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert!(
        fs::read_to_string(folder.application("app0"))
            .unwrap()
            .contains("1.1.0")
    );
    assert_eq!(status(&server, "/healthz").await, None);
}

#[tokio::test]
async fn a_client_that_dawdles_keeps_nothing_from_being_finished() {
    let folder = folder(3);
    let flags = [
        "--disable-tls",
        "--webhook-ratelimit-allowed",
        "1",
        "--shutdown-grace",
        "3s",
    ];
    let mut server = Server::start(with(&folder, &flags));
    for n in 0..3 {
        let image = format!("ghcr.io/acme/app{n}:1.1.0");
        announce(&server, "ghcr.io", &image, SECRET).await;
    }
    let mut dawdling = TcpStream::connect(server.address()).unwrap();
    dawdling
        .write_all(b"POST /webhook HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .unwrap();
    // The server asks for the body, so it waits for it.
    dawdling.read_exact(&mut [0; 9]).unwrap();
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(
        server.log.with(&["outcome=changed"]).len(),
        3,
        "{}",
        server.log.text()
    );
}

#[tokio::test]
async fn what_time_does_not_allow_is_named() {
    const IMAGES: usize = 40;
    let folder = folder(IMAGES);
    let flags = [
        "--webhook-ratelimit-allowed",
        "1",
        "--shutdown-grace",
        "1ms",
    ];
    let mut server = Server::start(with(&folder, &flags));
    for n in 0..IMAGES {
        announce(
            &server,
            "ghcr.io",
            &format!("ghcr.io/acme/app{n}:1.1.0"),
            SECRET,
        )
        .await;
    }
    wait_for_text(&folder.application("app0"), "app0:1.1.0");
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log.text());
    server.log.wait_for(&["ended before everything was done"]);
    let left = server.log.with(&["image left over", "outcome=failed"]);
    assert!(!left.is_empty(), "{}", server.log.text());
    for n in 0..IMAGES {
        let image = format!("image=ghcr.io/acme/app{n} ");
        let is_named = left.iter().any(|line| line.contains(&image));
        let is_changed = fs::read_to_string(folder.application(&format!("app{n}")))
            .unwrap()
            .contains("1.1.0");
        assert!(
            is_named || is_changed,
            "{image} is neither changed nor named"
        );
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = folder(1);
    let mut server = Server::start(with(
        &folder,
        &["--shutdown-delay", "30s", "--shutdown-grace", "60s"],
    ));
    let start = Instant::now();
    server.signal("TERM");
    server.log.wait_for(&["shutting down"]);
    // One that comes together with the first belongs to it, so this may take several.
    while server.is_running() {
        server.signal("TERM");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// The status of a GET, or `None` where nobody listens.
async fn status(server: &Server, path: &str) -> Option<u16> {
    // Whichever test of this process comes first installs it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let answer = client.get(server.url(path)).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}
