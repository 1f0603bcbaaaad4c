//! From a push to the Application, with nothing faked.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::edge::files::Pair;
use crate::registry::Auth;
use crate::registry::Options;
use crate::registry::PASSWORD;
use crate::registry::USER;
use crate::registry::notified;
use crate::scene::Home;
use crate::scene::Scene;
use crate::support::eventually;

/// The secret of deliveries.
const SECRET: &str = "a secret of the tests";

/// A Secret of the kind that `kubectl create secret docker-registry` makes.
async fn pull_secret(scene: &Scene, name: &str) {
    let authority = scene.registry.authority.clone();
    let config = json!({"auths": {authority: {"username": USER, "password": PASSWORD}}});
    let object = json!({
        "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": config.to_string()},
    });
    let world = &scene.home.world;
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    let object = serde_json::from_value(object).unwrap();
    secrets
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_notified_over_tls_confirmed_with_a_pull_secret_and_patched() {
    let Some(home) = Home::new().await else {
        return;
    };
    Pair::valid().write(home.folder.path());
    let tls = home.folder.path().display().to_string();
    let server = home.webhook(&["--tls-dir", &tls, "--distribution-webhook-secret", SECRET]);
    let endpoint = server.url("/webhook?type=distribution");
    let options = Options {
        auth: Auth::Password,
        notified: vec![notified(&endpoint, SECRET)],
        authorities: Some(home.folder.path().join("tls.crt")),
    };
    // It starts after the program, which it is to notify, and the program takes up what is said of it.
    let Some(scene) = Scene::with(home, &options).await else {
        return;
    };
    let changed = "the registries changed and count from now on";
    server.log.wait_for(&[changed]);
    pull_secret(&scene, "registry").await;
    scene.runs("shop", "1.0.0").await;
    let namespace = &scene.home.world.namespace;
    let settings = json!({"pullSecret": format!("pullsecret:{namespace}/registry")});
    scene.follows("shop", "^1", &settings).await;
    let read = ["resources read", "applications=1", "image_updaters=1"];
    server.log.wait_for(&read);

    let login = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let pusher = scene.registry.pusher("shop", &format!("Basic {login}"));
    let built = "2025-01-01T00:00:00Z";
    pusher.image(Some("1.1.0"), "linux/amd64", built).await;
    scene.until_it_runs("shop", "1.1.0").await;
    assert_eq!(scene.proxy.asked(), ["HEAD shop/manifests/1.1.0"]);
    eventually("the status", async || {
        let status = scene.status("shop").await;
        (!status["lastUpdatedAt"].is_null()).then_some(())
    })
    .await;
    // What the policy does not want costs nothing.
    pusher.image(Some("2.0.0"), "linux/amd64", built).await;
    server
        .log
        .wait_for(&["outcome=unchanged", "shop", "tag=2.0.0"]);
    assert_eq!(scene.proxy.asked(), [""; 0]);
    let log = server.log.text();
    assert!(!log.contains(SECRET) && !log.contains(PASSWORD) && !log.contains(&login));
}
