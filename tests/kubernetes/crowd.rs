//! One look for a thousand Applications.

use kube::api::ListParams;

use crate::scene::Scene;
use crate::town::APPLICATIONS;
use crate::town::REPOSITORIES;
use crate::town::fill;
use crate::town::repository;

#[tokio::test(flavor = "multi_thread")]
async fn one_look_lists_each_repository_once_and_patches_every_application() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    fill(&scene).await;
    let mut command = scene.home.command("run", &["--once"]);
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let mut asked = scene.proxy.asked();
    asked.sort();
    let expected: Vec<_> = (0..REPOSITORIES)
        .map(|number| format!("GET {}/tags/list", repository(number)))
        .collect();
    assert_eq!(asked, expected);
    let all = scene.home.world.applications();
    let found = all.list(&ListParams::default()).await.unwrap().items;
    assert_eq!(found.len(), APPLICATIONS);
    for object in found {
        let images = &object.data["spec"]["source"]["kustomize"]["images"];
        let image = images[0].as_str().unwrap();
        assert!(image.ends_with(":1.1.0"), "{image}");
        assert_eq!(object.metadata.generation, Some(2), "{image}");
    }
}
