//! What deliveries do to files.

use std::fs;
use std::process::Command;

use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::ports::webhook_client::WebhookClient;

use crate::deliver::announce;
use crate::deliver::announcement;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::server::Server;
use crate::server::wait_for_text;

const SECRET: &str = "It's a Secret to Everybody";

#[tokio::test]
async fn a_signed_delivery_changes_the_one_value_it_is_about() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    folder.add("api", "ghcr.io/acme/api:1.0.0", "ghcr.io/acme/api:^1", "");
    let before = fs::read_to_string(folder.application("web")).unwrap();
    let other = fs::read_to_string(folder.application("api")).unwrap();
    let server = Server::start(folder.flags());
    announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", SECRET).await;
    let after = wait_for_text(&folder.application("web"), "web:1.1.0");
    assert_eq!(after, before.replace("web:1.0.0", "web:1.1.0"));
    assert_eq!(
        fs::read_to_string(folder.application("api")).unwrap(),
        other
    );
    server.log.wait_for(&[
        "outcome=changed",
        "application=argocd/web",
        "old=1.0.0",
        "new=1.1.0",
    ]);
}

#[test]
fn curl_can_be_the_sender() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let server = Server::start(folder.flags());
    let request = announcement(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", SECRET);
    let body = folder.manifests().join("delivery.json");
    fs::write(&body, &request.body).unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--data-binary"])
        .arg(format!("@{}", body.display()));
    for (name, value) in &request.headers {
        curl.arg("--header").arg(format!("{name}: {value}"));
    }
    let Ok(answer) = curl.arg(&request.url).output() else {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        eprintln!("LEFT OUT: curl is not installed");
        return;
    };
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(
        answer.contains(r#""outcome":"accepted""#),
        "{answer}\n{}",
        server.log.text()
    );
    wait_for_text(&folder.application("web"), "web:1.1.0");
}

#[tokio::test]
async fn a_burst_for_one_image_is_two_writes_at_the_most() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let server = Server::start(folder.flags());
    let client = HttpWebhookClient::to_this_machine().unwrap();
    for patch in [3, 1, 7, 2, 10, 5, 4, 9, 8, 6] {
        let image = format!("ghcr.io/acme/web:1.0.{patch}");
        let answer = client
            .post(announcement(&server, "ghcr.io", &image, SECRET))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    wait_for_text(&folder.application("web"), "web:1.0.10");
    let writes = server.log.with(&["outcome=changed"]);
    assert!(
        writes.len() <= 2,
        "{} writes\n{}",
        writes.len(),
        server.log.text()
    );
}

#[tokio::test]
async fn what_is_pushed_twice_is_changed_once() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let server = Server::start(folder.flags());
    for _ in 0..2 {
        announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", SECRET).await;
        wait_for_text(&folder.application("web"), "web:1.1.0");
    }
    server.log.wait_for(&["outcome=unchanged"]);
    assert_eq!(
        server.log.with(&["outcome=changed"]).len(),
        1,
        "{}",
        server.log.text()
    );
}

#[tokio::test]
async fn three_tags_of_one_push_serve_three_policies() {
    let folder = Folder::new(SECRET);
    let image = "ghcr.io/acme/web";
    folder.add(
        "exact",
        &format!("{image}:1.5.0"),
        &format!("{image}:1.5.x"),
        "",
    );
    folder.add(
        "minor",
        &format!("{image}:1.4"),
        image,
        "updateStrategy: alphabetical, allowTags: 'regexp:^[0-9]+[.][0-9]+$'",
    );
    folder.add(
        "rolling",
        image,
        &format!("{image}:latest"),
        "updateStrategy: digest",
    );
    let digest = format!("sha256:{}", "ab".repeat(32));
    let server = Server::start(folder.flags());
    for tag in ["1.5.1", "1.5", "latest"] {
        announce(
            &server,
            "ghcr.io",
            &format!("{image}:{tag}@{digest}"),
            SECRET,
        )
        .await;
    }
    wait_for_text(&folder.application("exact"), "web:1.5.1\n");
    wait_for_text(&folder.application("minor"), "web:1.5\n");
    wait_for_text(
        &folder.application("rolling"),
        &format!("web:latest@{digest}\n"),
    );
}

#[tokio::test]
async fn an_image_that_nobody_tracks_is_unmatched() {
    let folder = Folder::new(SECRET);
    let server = Server::start(folder.flags());
    announce(&server, "ghcr.io", "ghcr.io/acme/other:1.1.0", SECRET).await;
    server
        .log
        .wait_for(&["outcome=unmatched", "ghcr.io/acme/other"]);
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let server = Server::start(folder.flags());
    let answer = deliver(
        &server,
        "ghcr.io",
        "ghcr.io/acme/web:1.1.0",
        "another secret",
    )
    .await;
    assert_eq!(answer.status, 401);
    assert!(
        answer.body.contains("Invalid webhook secret"),
        "{}",
        answer.body
    );
    let answer = deliver(&server, "quay.io", "quay.io/acme/web:1.1.0", SECRET).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer
            .body
            .contains("no handler available for this webhook"),
        "{}",
        answer.body
    );
    assert!(
        !answer.body.contains("ghcr"),
        "tells which types are served: {}",
        answer.body
    );
}

#[tokio::test]
async fn manifests_that_are_added_later_count() {
    let folder = Folder::new(SECRET);
    let server = Server::start(folder.flags());
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    server
        .log
        .wait_for(&["resources read", "applications=1", "image_updaters=1"]);
    announce(&server, "ghcr.io", "ghcr.io/acme/web:1.1.0", SECRET).await;
    wait_for_text(&folder.application("web"), "web:1.1.0");
}
