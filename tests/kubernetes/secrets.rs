//! Secrets that resources name.

#[path = "../contract/secret_reader.rs"]
mod secret_reader;

use image_updater::adapters::kubernetes::secret_reader::ClusterSecrets;
use image_updater::ports::secret_reader::SecretReadError;
use image_updater::ports::secret_reader::SecretReader;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::Value;
use serde_json::json;

use crate::manifests::apply;
use crate::manifests::kustomize;
use crate::support::World;
use crate::support::eventually;

async fn make(world: &World, name: &str, fields: Value) {
    let mut object = json!({"metadata": {"name": name}});
    let members = object.as_object_mut().unwrap();
    members.extend(fields.as_object().unwrap().clone());
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    let object = serde_json::from_value(object).unwrap();
    secrets
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_contract_holds() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let other = World::on(server).await;
    let login = json!({"login": "bob:hunter2\n"});
    make(
        &world,
        "pull",
        json!({"data": {"bytes": "AP8="}, "stringData": login}),
    )
    .await;
    make(&other, "elsewhere", json!({"stringData": login})).await;
    let reader = ClusterSecrets::new(world.client.clone());
    secret_reader::holds_for(&reader, &world.namespace).await;
    let elsewhere = reader.field(&other.namespace, "elsewhere", "login").await;
    assert!(elsewhere.is_ok());
}

#[tokio::test]
async fn a_missing_permission_is_told_with_what_to_grant_and_counts_when_it_comes() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let login = json!({"stringData": {"login": "bob:hunter2"}});
    make(&world, "pull", login).await;
    let namespace = world.namespace.as_str();
    let token = world.token("limited").await;
    let reader = ClusterSecrets::new(server.client(&token, namespace).await);
    let error = reader.field(namespace, "pull", "login").await.unwrap_err();
    assert!(
        matches!(error, SecretReadError::Forbidden { .. }),
        "{error}"
    );
    let told = format!("the permission to get secrets in namespace {namespace} is missing");
    assert!(error.to_string().contains(&told), "{error}");

    let roles = kustomize(server, "config/rbac/pull-secrets");
    let roles = roles
        .replace("namespace: argocd", &format!("namespace: {namespace}"))
        .replace("name: argocd-image-updater-controller", "name: limited");
    apply(server, &world, "pull-secrets", &roles);
    let read = eventually("the role is in effect", async || {
        reader.field(namespace, "pull", "login").await.ok()
    })
    .await;
    assert_eq!(read, b"bob:hunter2");
}
