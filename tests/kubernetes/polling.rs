//! Looking at a registry: at an interval, for what was edited, by the one that leads, and after a start.

use std::collections::BTreeSet;

use serde_json::json;

use crate::scene::Scene;
use crate::server::Server;
use crate::support::Proxy;
use crate::support::eventually;

/// What is told of each look.
const LOOKED: &[&str] = &["registries were looked at"];

/// The lines of looks so far that were made for ImageUpdaters.
fn looks(server: &Server) -> usize {
    server.log.with(LOOKED).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_found_at_the_next_interval_and_the_status_tells() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0", "1.1.0"]).await;
    scene.runs("shop", "1.0.0").await;
    scene.follows("shop", "^1", &json!({})).await;
    let api = Proxy::of(scene.home.world.client.clone()).await;
    scene.home.by(&api.url());
    let mut server = scene
        .home
        .run(&["--interval=1s", "--leader-election=false"]);
    scene.until_it_runs("shop", "1.1.0").await;
    let mut checked = BTreeSet::new();
    eventually("it is told when it was looked at", async || {
        let status = scene.status("shop").await;
        checked.extend(status["lastCheckedAt"].as_str().map(str::to_owned));
        (checked.len() >= 3).then_some(())
    })
    .await;
    scene.push("shop", &["1.2.0"]).await;
    scene.until_it_runs("shop", "1.2.0").await;

    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log.text());
    let lists = scene.proxy.count("GET shop/tags/list");
    let (looks, statuses) = (looks(&server), api.count("PATCH", "imageupdaters/shop"));
    // The last look may have been given up.
    assert!((looks..=looks + 1).contains(&lists), "{lists} {looks}");
    assert!(checked.len() <= looks, "{checked:?} {looks}");
    // One for each look, one at the start, and one for each change.
    assert!(statuses <= looks + 3, "{statuses} {looks}");
    assert_eq!(api.count("PATCH", "applications/shop"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_registry_is_a_condition_until_it_ends() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.runs("shop", "1.0.0").await;
    scene.follows("shop", "^1", &json!({})).await;
    let _server = scene
        .home
        .run(&["--interval=500ms", "--leader-election=false"]);
    let told = async |wanted: &str| {
        eventually(wanted, async || {
            let (status, message) = scene.condition("shop", "Error").await;
            (status == wanted).then_some(message)
        })
        .await
    };
    let message = told("True").await;
    assert!(message.contains("shop"), "{message}");
    scene.push("shop", &["1.0.0"]).await;
    told("False").await;
    let denied = |line: &str| {
        let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
        line.contains("tags/list").then(|| (403, body.to_owned()))
    };
    scene.proxy.instead(denied);
    told("True").await;
    scene.push("shop", &["1.1.0"]).await;
    scene.proxy.honest();
    scene.until_it_runs("shop", "1.1.0").await;
    told("False").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_is_looked_at_at_once_and_nothing_else() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    for repository in ["shop", "other"] {
        scene.push(repository, &["1.0.0", "2.0.0"]).await;
        scene.runs(repository, "1.0.0").await;
        scene.follows(repository, "^1", &json!({})).await;
    }
    // Nobody follows this one yet. It is there before, as an Application and an ImageUpdater that are made together may be heard of in either order.
    scene.push("new", &["1.0.0", "1.1.0"]).await;
    scene.runs("new", "1.0.0").await;
    let flags = ["--interval=1h", "--leader-election=false"];
    let server = scene.home.run(&flags);
    server.log.wait_for(LOOKED);
    scene.proxy.asked();
    scene.edit("shop", ">=1").await;
    scene.until_it_runs("shop", "2.0.0").await;
    // And an ImageUpdater that is new.
    scene.follows("new", "^1", &json!({})).await;
    scene.until_it_runs("new", "1.1.0").await;
    server.log.wait_for_count(3, LOOKED);
    assert_eq!(
        scene.proxy.asked(),
        ["GET shop/tags/list", "GET new/tags/list"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_only_the_one_that_leads_looks() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0"]).await;
    scene.runs("shop", "1.0.0").await;
    scene.follows("shop", "^1", &json!({})).await;
    let flags = ["--interval=200ms"];
    let mut first = scene.home.run(&flags);
    first.log.wait_for(LOOKED);
    let mut second = scene.home.run(&flags);
    second.log.wait_for(&["ready"]);
    let before = looks(&first);
    first.log.wait_for_count(before + 5, LOOKED);
    assert_eq!(looks(&second), 0);
    let (least, lists, most) = (
        looks(&first),
        scene.proxy.count("shop/tags/list"),
        looks(&first) + 1,
    );
    assert!((least..=most + 1).contains(&lists), "{lists} {least}");
    first.signal("TERM");
    assert!(first.wait().success(), "{}", first.log.text());
    second.log.wait_for(LOOKED);
    second.signal("TERM");
    assert!(second.wait().success(), "{}", second.log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_while_it_was_down_is_found_after_the_start_if_that_is_wanted() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push("shop", &["1.0.0"]).await;
    scene.runs("shop", "1.0.0").await;
    scene.follows("shop", "^1", &json!({})).await;
    let open = ["--disable-tls", "--webhook-require-secret=false"];
    let without = [&open[..], &["--catch-up=false"]].concat();
    let with = [&open[..], &["--catch-up=true"]].concat();
    let server = scene.home.webhook(&without);
    drop(server);
    scene.push("shop", &["1.1.0"]).await;

    // The rule that says which commands look is tested with the settings; here it is enough that this one has not when another one has.
    let quiet = scene.home.webhook(&without);
    let server = scene.home.webhook(&with);
    scene.until_it_runs("shop", "1.1.0").await;
    server.log.wait_for(LOOKED);
    assert_eq!(scene.proxy.asked(), ["GET shop/tags/list"]);
    assert_eq!(looks(&quiet), 0);
}
