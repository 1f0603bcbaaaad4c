//! Very many Applications of few repositories.

use futures_util::StreamExt as _;
use futures_util::stream;
use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::json;

use crate::scene::Scene;

/// How many repositories there are, each with an ImageUpdater.
pub(crate) const REPOSITORIES: usize = 50;
/// How many Applications there are.
pub(crate) const APPLICATIONS: usize = 1_000;
/// How much is made at once.
const AT_ONCE: usize = 16;

/// The repository of an Application, or of an ImageUpdater.
pub(crate) fn repository(number: usize) -> String {
    format!("team-{:02}/shop", number % REPOSITORIES)
}

fn application(number: usize) -> String {
    format!("team-{:02}-{number}", number % REPOSITORIES)
}

/// Makes tags, ImageUpdaters and Applications, all of which run 1.0.0 where there is 1.1.0.
pub(crate) async fn fill(scene: &Scene) {
    let world = &scene.home.world;
    let repositories = stream::iter(0..REPOSITORIES).map(async |number| {
        let repository = repository(number);
        scene.push(&repository, &["1.0.0", "1.1.0"]).await;
        let image = json!({"alias": "main", "imageName": scene.image(&repository, "^1")});
        let pattern = format!("team-{number:02}-*");
        let spec = json!({"applicationRefs": [{"namePattern": pattern, "images": [image]}]});
        world.updater(&format!("team-{number:02}"), spec).await;
    });
    repositories.buffer_unordered(AT_ONCE).collect::<()>().await;
    let applications = stream::iter(0..APPLICATIONS).map(async |number| {
        let image = scene.image(&repository(number), "1.0.0");
        let source = json!({
            "repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": [image]},
        });
        let name = application(number);
        world.application(&name, json!({"source": source})).await;
    });
    applications.buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// Has all Applications run 1.0.0 again, by one bare PATCH for each.
pub(crate) async fn set_back(scene: &Scene) {
    let (all, how) = (scene.home.world.applications(), PatchParams::default());
    let patches = stream::iter(0..APPLICATIONS).map(async |number| {
        let image = scene.image(&repository(number), "1.0.0");
        let patch = json!([
            {"op": "replace", "path": "/spec/source/kustomize/images/0", "value": image},
        ]);
        let patch = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
        all.patch(&application(number), &how, &patch).await.unwrap();
    });
    patches.buffer_unordered(AT_ONCE).collect::<()>().await;
}
