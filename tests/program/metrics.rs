//! The server of the metrics, beside the webhook's.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::deliver::announce;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::field;
use crate::server::run;

/// The body of what a plain `GET` of the metrics gives.
fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: prometheus\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn start(folder: &Folder, more: &[&str]) -> (Server, String) {
    let mut flags = folder.flags();
    let metrics = [
        "--metrics-bind-address=127.0.0.1:0",
        "--metrics-secure=false",
    ];
    flags.extend(metrics.iter().chain(more).map(ToString::to_string));
    let server = Server::start(flags);
    let line = server.log.wait_for(&["metrics server is listening"]);
    (server, field(&line, "address"))
}

/// Scrapes until the first ImageUpdater is known. A page is written one metric after the other, so the first that names it may not have all of them.
async fn first_scrape(address: &str) -> String {
    let of_the_watch = ["applications_watched_total{", "images_watched_total{"];
    loop {
        let text = scrape(address);
        if of_the_watch.iter().all(|metric| text.contains(metric)) {
            return text;
        }
        tokio::task::yield_now().await;
    }
}

/// Scrapes until an image was changed and nothing is in work any more, and then once more: what was counted meanwhile may be on half of a page.
async fn scrape_when_done(address: &str) -> String {
    loop {
        let text = scrape(address);
        if value(&text, "images_updated_total") > 0 && value(&text, "queue_events") == 0 {
            return scrape(address);
        }
        tokio::task::yield_now().await;
    }
}

fn value(text: &str, name: &str) -> u64 {
    let start = format!("argocd_image_updater_{name}");
    let mut lines = text.lines().filter(|line| line.starts_with(&start));
    let line = lines.next().unwrap_or_else(|| panic!("{name}: {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_done_is_counted() {
    let secret = "Zq7-metrics-hunter2";
    let folder = Folder::new(secret);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (server, address) = start(&folder, &[]);
    let before = first_scrape(&address).await;
    assert_eq!(value(&before, "applications_watched_total"), 1);
    assert_eq!(value(&before, "images_watched_total"), 1);
    assert_eq!(value(&before, "images_updated_total"), 0);
    assert_eq!(value(&before, "watch_behind"), 0);
    announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", secret).await;
    server.log.wait_for(&["outcome=changed"]);
    let after = scrape_when_done(&address).await;
    assert_eq!(value(&after, "images_updated_total"), 1);
    assert_eq!(value(&after, "images_errors_total"), 0);
    let of_ghcr = r#"deliveries_total{type="ghcr.io",outcome="accepted"}"#;
    assert_eq!(value(&before, of_ghcr), 0);
    assert_eq!(value(&after, of_ghcr), 1);
    let changed = r#"image_outcomes_total{occasion="delivery",outcome="changed"}"#;
    assert_eq!(value(&after, changed), 1);
    for once in [
        "delivery_answer_seconds_count",
        "queue_wait_seconds_count",
        "write_seconds_count",
        "delivery_to_change_seconds_count",
        r#"rate_limit_turns_total{limit="events_per_hour"}"#,
    ] {
        assert_eq!(value(&after, once), 1, "{once}");
    }
    assert_eq!(value(&after, "queue_capacity"), 10_000);
    let expiry = value(&after, "certificate_expiry_timestamp_seconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(expiry > now.as_secs(), "{expiry}");
    let build = format!(r#"build_info{{version="{}""#, env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&after, &build), 1);
    assert!(!after.contains(secret), "{after}");
}

/// Whatever a stranger sends becomes no series and is shown to nobody.
#[tokio::test]
async fn a_delivery_with_a_wrong_secret_is_counted() {
    let folder = Folder::new("right");
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (server, address) = start(&folder, &[]);
    let wrong = "Zq7-wrong-hunter2";
    let answer = deliver(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", wrong).await;
    assert_eq!(answer.status, 401);
    let text = scrape(&address);
    let refused = r#"deliveries_rejected_total{type="ghcr.io",reason="invalid_secret"}"#;
    assert_eq!(value(&text, refused), 1);
    assert_eq!(value(&text, "delivery_to_change_seconds_count"), 0);
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_dry_run_counts_no_change() {
    let secret = "s";
    let folder = Folder::new(secret);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (mut server, address) = start(&folder, &["--dry-run", "--shutdown-delay=0s"]);
    announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", secret).await;
    server.log.wait_for(&["outcome=dry-run"]);
    assert_eq!(value(&scrape(&address), "applications_watched_total"), 1);
    assert_eq!(value(&scrape(&address), "images_updated_total"), 0);
    server.signal("TERM");
    assert!(server.wait().success());
}

/// Who may read could not be asked.
#[test]
fn without_a_cluster_they_are_not_secure() {
    let folder = Folder::new("s");
    let flags = folder.flags();
    let mut arguments = vec!["webhook", "--metrics-bind-address=127.0.0.1:0"];
    arguments.extend(flags.iter().map(String::as_str));
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(64));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("metrics-secure"), "{told}");
}
