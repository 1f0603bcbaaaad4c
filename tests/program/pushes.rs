//! From a push to the manifest, and what it costs at the registry.

use tempfile::TempDir;

use crate::deliver::announce;
use crate::edge::files::Pair;
use crate::registry::Options;
use crate::registry::notified;
use crate::scene::SECRET;
use crate::scene::Scene;
use crate::scene::folder;
use crate::scene::serve;
use crate::server::Server;

/// When images were built.
const EARLY: &str = "2025-01-01T00:00:00Z";
const LATE: &str = "2026-01-01T00:00:00Z";

/// What was asked since this was last called, in order, with every digest as `sha256`.
fn asked(scene: &Scene) -> Vec<String> {
    let mut asked: Vec<String> = scene
        .proxy
        .asked()
        .iter()
        .map(|line| match line.split_once("sha256:") {
            Some((start, _)) => format!("{start}sha256"),
            None => line.clone(),
        })
        .collect();
    asked.sort();
    asked
}

/// Announces a tag, and waits until it is so that this is told of it.
async fn announced(scene: &Scene, server: &Server, repository: &str, tag: &str, outcome: &str) {
    let image = scene.image(repository, tag);
    announce(server, "distribution", &image, SECRET).await;
    let (application, outcome) = (
        format!("application=argocd/{repository}"),
        format!("outcome={outcome}"),
    );
    server.log.wait_for(&[&application, &outcome]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_notified_over_tls_confirmed_and_written() {
    let tls = TempDir::new().unwrap();
    Pair::valid().write(tls.path());
    let folder = folder();
    let server = serve(&folder, &["--tls-dir", tls.path().to_str().unwrap()]);
    let endpoint = server.url("/webhook?type=distribution");
    let options = Options {
        notified: vec![notified(&endpoint, SECRET)],
        authorities: Some(tls.path().join("tls.crt")),
        ..Options::default()
    };
    // It starts after the program, which it is to notify, and the program takes up what is said of it.
    let Some(scene) = Scene::with(folder, &options).await else {
        return;
    };
    let changed = "the registries changed and count from now on";
    server.log.wait_for(&[changed]);
    scene.add("shop", "1.0.0", "^1", "");
    let read = ["resources read", "applications=1", "image_updaters=1"];
    server.log.wait_for(&read);
    scene.push("shop", &["1.1.0"]).await;
    server
        .log
        .wait_for(&["outcome=changed", "application=argocd/shop", "new=1.1.0"]);
    assert!(scene.runs("shop", "1.1.0"));
    assert_eq!(asked(&scene), ["HEAD shop/manifests/1.1.0"]);
    assert!(!server.log.text().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_costs_one_request_without_a_list() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.add("semver", "1.0.0", "^1", "");
    let image = scene.image("alphabetical", "a");
    let all = image.trim_end_matches(":a");
    let settings = "updateStrategy: alphabetical";
    scene.folder.add("alphabetical", &image, all, settings);
    scene.add("digest", "latest", "latest", "updateStrategy: digest");
    let server = scene.serve(&[]);
    for (repository, tag) in [
        ("semver", "1.1.0"),
        ("alphabetical", "b"),
        ("digest", "latest"),
    ] {
        scene.push(repository, &[tag]).await;
        announced(&scene, &server, repository, tag, "changed").await;
        let expected = format!("HEAD {repository}/manifests/{tag}");
        assert_eq!(asked(&scene), [expected]);
    }
    // What the policy refuses costs nothing.
    announced(&scene, &server, "semver", "2.0.0", "unchanged").await;
    announced(&scene, &server, "digest", "other", "unchanged").await;
    assert_eq!(asked(&scene), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn platforms_cost_the_manifest_and_what_names_its_platform() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let arm = "platforms: [linux/arm64]";
    scene.add("semver", "1.0.0", "^1", arm);
    scene.add(
        "digest",
        "latest",
        "latest",
        &format!("updateStrategy: digest, {arm}"),
    );
    scene.add("index", "1.0.0", "^1", arm);
    let server = scene.serve(&[]);
    for (repository, tag) in [("semver", "1.1.0"), ("digest", "latest")] {
        let pusher = scene.registry.pusher(repository, "");
        pusher.image(Some(tag), "linux/arm64", EARLY).await;
        announced(&scene, &server, repository, tag, "changed").await;
        let expected = [
            format!("GET {repository}/blobs/sha256"),
            format!("GET {repository}/manifests/{tag}"),
        ];
        assert_eq!(asked(&scene), expected);
    }
    let pusher = scene.registry.pusher("semver", "");
    pusher.image(Some("1.2.0"), "linux/amd64", EARLY).await;
    announced(&scene, &server, "semver", "1.2.0", "unchanged").await;
    assert!(scene.runs("semver", "1.1.0"));
    asked(&scene);

    let pusher = scene.registry.pusher("index", "");
    let mut images = Vec::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        images.push((platform, pusher.image(None, platform, EARLY).await));
    }
    pusher.index(Some("1.1.0"), &images).await;
    announced(&scene, &server, "index", "1.1.0", "changed").await;
    // Only the manifest that would do is looked at.
    let expected = [
        "GET index/blobs/sha256",
        "GET index/manifests/1.1.0",
        "GET index/manifests/sha256",
    ];
    assert_eq!(asked(&scene), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_cost_those_that_are_compared() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.push_built("newest", "red", EARLY).await;
    scene.push_built("newest", "blue", LATE).await;
    let settings = "updateStrategy: newest-build";
    let image = scene.image("newest", "red");
    let all = image.trim_end_matches(":red");
    scene.folder.add("newest", &image, all, settings);
    let server = scene.serve(&[]);
    announced(&scene, &server, "newest", "blue", "changed").await;
    let expected = [
        "GET newest/blobs/sha256",
        "GET newest/blobs/sha256",
        "GET newest/manifests/blue",
        "GET newest/manifests/red",
    ];
    assert_eq!(asked(&scene), expected);
    // What is known of builds stays, and only where tags point is asked again.
    announced(&scene, &server, "newest", "red", "unchanged").await;
    let expected = ["HEAD newest/manifests/blue", "HEAD newest/manifests/red"];
    assert_eq!(asked(&scene), expected);
    assert!(scene.runs("newest", "blue"));
}
