//! The contract of the ports on resources, on a real API server.

#[path = "../contract/resources.rs"]
mod resources;

use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::reading::Reading;
use crate::support::ApiServer;
use crate::support::World;

/// What the suite asks for, in a new namespace.
async fn filled(server: &ApiServer) -> World {
    let world = World::on(server).await;
    let source = |fields: Value| {
        let mut source = json!({"repoURL": "https://example.com/shop.git"});
        let members = source.as_object_mut().unwrap();
        members.extend(fields.as_object().unwrap().clone());
        source
    };
    let images =
        |images: Value| json!({"source": source(json!({"kustomize": {"images": images}}))});
    let tag = json!({"parameters": [{"name": "image.tag", "value": "1.2"}]});
    let variable = json!({"env": [{"name": "TAG", "value": "v1"}]});
    let dry = source(json!({"path": "dry", "targetRevision": "HEAD", "plugin": variable}));
    let hydrator = json!({
        "drySource": dry,
        "syncSource": {"targetBranch": "hydrated", "path": "dry"},
    });
    for (name, spec) in [
        ("dry", json!({"sourceHydrator": hydrator})),
        (
            "multi",
            json!({"sources": [source(json!({})), source(json!({"helm": tag}))]}),
        ),
        ("twice", images(json!(["nginx:1", "nginx:1"]))),
        ("web", images(json!(["nginx:1.26", "redis:7"]))),
    ] {
        world.application(name, spec).await;
        let labels = json!({"metadata": {"labels": {"tier": "web"}}});
        world.merge(name, labels).await;
    }
    let all = json!({"applicationRefs": [{"namePattern": "*", "useAnnotations": true}]});
    world.updater("images", all).await;
    world
}

#[tokio::test]
async fn the_contract_holds() {
    let Some(server) = ApiServer::shared() else {
        return;
    };
    resources::holds_for(async || {
        let world = filled(server).await;
        let reading = Reading::of(server, &world).await;
        (Arc::clone(&reading.resources), (reading, world))
    })
    .await;
}
