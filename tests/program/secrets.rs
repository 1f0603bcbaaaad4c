//! Secrets: rotated without a gap, and never shown.

use std::fs;

use crate::deliver::announce;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::program;

#[tokio::test]
async fn a_secret_is_rotated_without_a_restart_or_a_gap() {
    let folder = Folder::new("old-secret");
    let server = Server::start(folder.flags());
    let status = async |secret: &str| {
        deliver(&server, "ghcr.io", "ghcr.io/acme/web:1.0.0", secret)
            .await
            .status
    };
    assert_eq!(
        (status("old-secret").await, status("new-secret").await),
        (200, 401)
    );
    let file = folder.secrets().join("webhook.ghcr-secret");
    fs::write(&file, "new-secret\nold-secret\n").unwrap();
    server
        .log
        .wait_for(&["the secret changed", "webhook.ghcr-secret", "secrets=2"]);
    assert_eq!(
        (status("old-secret").await, status("new-secret").await),
        (200, 200)
    );
    fs::write(&file, "new-secret\n").unwrap();
    server
        .log
        .wait_for(&["the secret changed", "webhook.ghcr-secret", "secrets=1"]);
    assert_eq!(
        (status("old-secret").await, status("new-secret").await),
        (401, 200)
    );
}

#[test]
fn what_a_secret_that_is_gone_means_is_said() {
    for (policy, meaning) in [
        ("--webhook-require-secret=true", "its type is closed"),
        (
            "--webhook-require-secret=false",
            "taken from anybody from now on",
        ),
    ] {
        let folder = Folder::new("secret");
        let mut flags = folder.flags();
        flags.push(policy.to_owned());
        let server = Server::start(flags);
        fs::remove_file(folder.secrets().join("webhook.ghcr-secret")).unwrap();
        server
            .log
            .wait_for(&["level=warning", "the secret is gone", meaning]);
    }
}

#[tokio::test]
async fn nothing_that_is_printed_at_trace_level_holds_a_secret() {
    let secrets = [
        "Zq7-ghcr-hunter2",
        "Zq7-quay-hunter2",
        "Zq7-acr-hunter2",
        "Zq7-cloudevents-hunter2",
        "Zq7-docker-hunter2",
    ];
    let [ghcr, quay, acr, cloud_events, docker] = secrets;
    let folder = Folder::new(ghcr);
    folder.add("web", "quay.io/acme/web:1.0.0", "quay.io/acme/web:^1", "");
    let mut command = program();
    command
        .env("QUAY_WEBHOOK_SECRET", quay)
        .env("ACR_WEBHOOK_SECRET", acr)
        .env("DOCKER_WEBHOOK_SECRET", docker)
        .args([
            "webhook",
            "--webhook-port=0",
            "--loglevel=trace",
            "--enable-http2",
            "--cloudevents-webhook-secret",
            cloud_events,
        ])
        .args(folder.flags());
    let mut server = Server::spawn(command);
    announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", ghcr).await;
    announce(&server, "quay.io", "quay.io/acme/web:1.1.0", quay).await;
    announce(&server, "acr", "acme.azurecr.io/acme/web:1.1.0", acr).await;
    announce(&server, "docker.io", "acme/web:1.1.0", docker).await;
    announce(
        &server,
        "cloudevents",
        "registry.example.com/acme/web:1.1.0",
        cloud_events,
    )
    .await;
    let mut answers = String::new();
    for (sender, image) in [
        ("quay.io", "quay.io/a/b:1"),
        ("acr", "a.azurecr.io/b:1"),
        ("harbor", "h.example.com/a/b:1"),
    ] {
        answers += &deliver(&server, sender, image, "Zq7-wrong-hunter2")
            .await
            .body;
    }
    server.log.wait_for(&["outcome=changed"]);
    server.signal("TERM");
    assert!(server.wait().success());
    let everything = format!("{}\n{}\n{answers}", server.log.text(), server.output.text());
    assert!(
        everything.contains("level=debug"),
        "the log is not verbose:\n{everything}"
    );
    assert!(!everything.contains("hunter2"), "{everything}");
}

#[test]
fn a_failed_start_shows_no_secret() {
    let starts: [&[&str]; 4] = [
        &[
            "webhook",
            "--ghcr-webhook-secret=hunter2",
            "--webhook-port=high",
            "--tlsminversion=9",
        ],
        &[
            "webhook",
            "--ghcr-webhook-secret",
            "hunter2",
            "--quay-webhook-secre",
            "hunter2",
        ],
        &["webhook", "hunter2", "--ghcr-webhook-secret=hunter2"],
        &["config", "--ghcr-webhook-secret=hunter2"],
    ];
    for arguments in starts {
        let output = program()
            .env("HARBOR_WEBHOOK_SECRET", "hunter2")
            .args(arguments)
            .output()
            .unwrap();
        let shown = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(64), "{arguments:?}\n{shown}");
        assert!(
            !shown.is_empty() && !shown.contains("hunter2"),
            "{arguments:?}\n{shown}"
        );
    }
}
