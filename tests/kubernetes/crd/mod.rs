//! What the definition of ImageUpdater lets in: our own, and the published one where the tests have it, each under a group of its own so that both
//! can be there at once.

mod accepted;
mod definition;
mod objects;
mod refused;
mod status;

use image_updater::adapters::wire::image_updater as reader;
use serde_json::json;

use self::accepted::accepted;
use self::definition::Definition;
use self::objects::updater;
use self::refused::refused;
use crate::support::World;

#[tokio::test]
async fn objects_are_let_in_or_not_as_by_the_published_definition() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let (accepted, refused) = (accepted(), refused());
    assert!(accepted.len() + refused.len() >= 40);
    for definition in Definition::all(server, &world) {
        for object in &accepted {
            let created = definition.create(object, true).await;
            let name = definition.name;
            assert!(created.is_ok(), "{name}: {object}: {created:?}");
        }
        for (object, why) in &refused {
            let created = definition.create(object, true).await.map(|_| ());
            let name = definition.name;
            let refusal = created.expect_err(&format!("{name}: {object}"));
            assert!(refusal.contains(why), "{name}: {object}: {refusal}");
        }
    }
}

/// What reads objects from files refuses what the API server refuses, so that a file that works there works in the cluster.
#[test]
fn the_reader_refuses_what_the_definition_refuses() {
    for (object, why) in refused() {
        let (read, findings) = reader::read(&object, "argocd");
        assert!(
            read.is_none() && !findings.errors.is_empty(),
            "{why}: {object}"
        );
    }
}

#[tokio::test]
async fn defaults_are_filled_in_and_what_is_unknown_is_dropped() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let key = json!({"secretName": "s", "key": "k"});
    let object = updater(&json!({
        "namespace": "argocd",
        "applicationRefs": [{"namePattern": "*", "useAnnotations": null, "images": [{"alias": "a", "imageName": "b", "tag": "c"}]}],
        "commonUpdateSettings": {"allowTags": null},
        "writeBackConfig": {"gitConfig": {"pullRequest": {"github": {"token": "t"}}}},
        "imagesVerification": {"enabled": null, "cosignKey": key},
    }));
    let expected = json!({
        "applicationRefs": [{"namePattern": "*", "useAnnotations": false, "images": [{"alias": "a", "imageName": "b"}]}],
        "commonUpdateSettings": {},
        "writeBackConfig": {"gitConfig": {"pullRequest": {"github": {}}}},
        "imagesVerification": {"enabled": true, "cosignKey": key},
    });
    for definition in Definition::all(server, &world) {
        let created = definition.create(&object, true).await.unwrap();
        assert_eq!(created.data["spec"], expected, "{}", definition.name);
    }
}
