//! The program with a queue that it shares.

use std::fs;

use tempfile::TempDir;

use crate::certificates::files::Pair;
use crate::deliver::announce;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::server::Server;
use crate::server::program;
use crate::server::run;
use crate::server::wait_for_text;

const SECRET: &str = "a secret of the tests";

/// Starts `webhook` with that queue and that folder for its socket.
fn start(folder: &Folder, queue: &str, trusted: &TempDir, state: &TempDir) -> Server {
    let mut command = program();
    command
        .args(["webhook", "--webhook-port=0", "--queue-patience=2s"])
        .args(folder.flags())
        .arg("--state-dir")
        .arg(state.path())
        .env("IMAGE_UPDATER_QUEUE", queue)
        .env("SSL_CERT_FILE", trusted.path().join("tls.crt"));
    Server::spawn(command)
}

#[tokio::test]
async fn the_program_shares_its_queue_by_tls_and_shows_no_password() {
    let trusted = TempDir::new().unwrap();
    Pair::valid().write(trusted.path());
    let Some(mut nats) = Nats::tls(trusted.path()) else {
        return;
    };
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let queue = nats.url().replace("nats://", "tls://");
    let states = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let mut first = start(&folder, &queue, &trusted, &states[0]);
    first
        .log
        .wait_for(&["deliveries are kept by the NATS server"]);
    announce(&first, "ghcr.io", "ghcr.io/acme/web:1.1.0", SECRET).await;
    wait_for_text(&folder.application("web"), "web:1.1.0");
    first.signal("TERM");
    assert!(first.wait().success(), "{}", first.log.text());
    first.log.wait_for(&["msg=finished"]);

    // The next one gets its share at once, and knows what was done before.
    let second = start(&folder, &queue, &trusted, &states[1]);
    second
        .log
        .wait_for(&["deliveries are kept by the NATS server"]);
    announce(&second, "ghcr.io", "ghcr.io/acme/web:1.2.0", SECRET).await;
    wait_for_text(&folder.application("web"), "web:1.2.0");
    second.log.wait_for(&["outcome=changed"]);
    let listed = run(&[
        "deliveries",
        "list",
        "--state-dir",
        states[1].path().to_str().unwrap(),
    ]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("web:1.1.0") && listed.contains("web:1.2.0"),
        "{listed}"
    );

    nats.kill();
    let refused = deliver(&second, "ghcr.io", "ghcr.io/acme/web:1.3.0", SECRET).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(
        !refused.body.contains("NATS"),
        "the sender is not told: {}",
        refused.body
    );
    let written = fs::read_to_string(folder.application("web")).unwrap();
    assert!(written.contains("web:1.2.0"));
    for log in [&first.log, &second.log] {
        assert!(!log.text().contains(PASSWORD), "{}", log.text());
    }
}
