//! The tests' own API server: what it is worth.

use serde_json::json;

use crate::support::ApiServer;
use crate::support::World;
use crate::support::eventually;

#[tokio::test]
async fn objects_come_and_go() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    assert!(server.url().starts_with("https://127.0.0.1:"));
    let spec = json!({"source": {"repoURL": "https://example.com/shop.git", "path": "."}});
    world.application("shop", spec).await;
    let images = json!({"summary": {"images": ["nginx:1.27"]}});
    world.status("shop", images).await;
    let shop = world.read("shop").await;
    assert_eq!(shop["status"]["summary"]["images"][0], "nginx:1.27");
    world.delete("shop").await;
    eventually("the Application is gone", async || {
        let shop = world.applications().get_opt("shop").await.unwrap();
        shop.is_none().then_some(())
    })
    .await;
}

/// A token of its own is nothing that roles were given to.
#[tokio::test]
async fn an_account_may_do_nothing_by_itself() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let token = world.token("somebody").await;
    let somebody = World {
        client: server.client(&token, &world.namespace).await,
        namespace: world.namespace.clone(),
    };
    let denied = somebody.applications().get("shop").await.unwrap_err();
    assert!(denied.to_string().contains("forbidden"), "{denied}");
}

#[tokio::test]
async fn it_comes_back_with_what_it_held() {
    let Some(server) = ApiServer::own() else {
        return;
    };
    let world = World::on(&server).await;
    world
        .updater(
            "all",
            json!({"applicationRefs": [{"namePattern": "*", "useAnnotations": true}]}),
        )
        .await;
    server.kill();
    assert!(world.updaters().get("all").await.is_err());
    server.restart();
    world.updaters().get("all").await.unwrap();
}
