//! The metrics of the program in a cluster: what is counted, and who may read it.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::deliver::announce;
use crate::edge::client;
use crate::edge::wire::Reply;
use crate::manifests::path;
use crate::server::Server;
use crate::server::field;
use crate::support::ApiServer;
use crate::support::Way;
use crate::support::World;
use crate::support::eventually;

const ACCOUNT: &str = "argocd-image-updater-controller";

/// Starts `webhook` with metrics as whoever has this token, on what is at the end of the way.
fn start(api: &ApiServer, way: &Way, world: &World, token: &str, folder: &TempDir) -> Server {
    let kubeconfig = folder.path().join("kubeconfig");
    let text = api.kubeconfig(token, &world.namespace);
    fs::write(&kubeconfig, text.replace(api.url(), &way.url())).unwrap();
    let flags = [
        "--disable-tls",
        "--webhook-require-secret=false",
        "--shutdown-grace=2s",
        "--metrics-bind-address=127.0.0.1:0",
    ];
    let mut arguments: Vec<OsString> = flags.map(OsString::from).into();
    arguments.extend(["--watch-namespaces".into(), world.namespace.clone().into()]);
    arguments.extend(["--kubeconfig".into(), kubeconfig.into_os_string()]);
    Server::start(arguments)
}

fn address(server: &Server) -> SocketAddr {
    let line = server.log.wait_for(&["metrics server is listening"]);
    field(&line, "address").parse().unwrap()
}

async fn scrape(server: &Server, token: Option<&str>) -> Reply {
    let mut wire = client::wire(address(server)).await;
    let authorization = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    wire.send(format!(
        "GET /metrics HTTP/1.1\r\nHost: prometheus\r\n{authorization}\r\n"
    ))
    .await;
    wire.reply().await
}

/// The value of the first series of a name; `None`: there is none.
fn value(text: &str, name: &str) -> Option<u64> {
    let start = format!("argocd_image_updater_{name}");
    let line = text.lines().find(|line| line.starts_with(&start))?;
    line.rsplit(' ').next().unwrap().parse().ok()
}

/// Waits until a metric has a value, and answers all of them, from a page of later: what changes while a page is written may be on half of it.
async fn until(server: &Server, token: &str, name: &str, wanted: Option<u64>) -> String {
    eventually(name, async || {
        let text = scrape(server, Some(token)).await.body;
        (value(&text, name) == wanted).then_some(())
    })
    .await;
    scrape(server, Some(token)).await.body
}

/// The `ClusterRole`s of the installation, each bound to these accounts of a namespace.
fn bind(api: &ApiServer, world: &World, bound: &[(&str, &str)]) {
    let roles = fs::read_to_string(path("config/rbac/metrics.yaml")).unwrap();
    api.kubectl(&["apply", "-f", "-"], &roles).unwrap();
    for (role, account) in bound {
        let name = format!("{}-{account}-{role}", world.namespace);
        let binding: Value = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": world.namespace}],
        });
        let binding = binding.to_string();
        api.kubectl(&["apply", "-f", "-"], &binding).unwrap();
    }
}

async fn follow(world: &World) {
    let source = json!({
        "repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": ["ghcr.io/team/shop:1.0.0"]},
    });
    world.application("shop", json!({"source": source})).await;
    let status =
        json!({"sourceType": "Kustomize", "summary": {"images": ["ghcr.io/team/shop:1.0.0"]}});
    world.status("shop", status).await;
    let follows = json!({"alias": "shop", "imageName": "ghcr.io/team/shop:1.x"});
    let spec = json!({"applicationRefs": [{"namePattern": "*", "images": [follows]}]});
    world.updater("all", spec).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    follow(&world).await;
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    let reader = world.token("prometheus").await;
    bind(
        api,
        &world,
        &[("argocd-image-updater-metrics-reader", "prometheus")],
    );
    let server = start(api, &way, &world, "admin", &folder);
    let text = until(&server, &reader, "images_watched_total", Some(1)).await;
    assert_eq!(value(&text, "applications_watched_total"), Some(1));
    assert_eq!(value(&text, "images_updated_total"), Some(0));
    assert!(value(&text, "k8s_api_requests_total") > Some(3), "{text}");

    announce(&server, "ghcr.io", "ghcr.io/team/shop:1.1.0", "").await;
    let text = until(&server, &reader, "images_updated_total", Some(1)).await;
    assert_eq!(value(&text, "images_errors_total"), Some(0));
    let labels = format!(
        r#"{{image_updater_cr_name="all",image_updater_cr_namespace="{}"}}"#,
        world.namespace
    );
    assert!(text.contains(&labels), "{text}");

    // Whoever read a moment ago still may while nobody can be asked.
    until(&server, &reader, "watch_behind", Some(0)).await;
    way.cut();
    let text = until(&server, &reader, "watch_behind", Some(1)).await;
    assert!(value(&text, "k8s_api_errors_total") > Some(0), "{text}");
    way.open();
    until(&server, &reader, "watch_behind", Some(0)).await;

    world
        .updaters()
        .delete("all", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    let text = until(&server, &reader, "images_watched_total", None).await;
    assert!(!text.contains("image_updater_cr_name"), "{text}");
    for secret in [&reader, "admin\""] {
        assert!(!text.contains(secret) && !server.log.text().contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_read_them_do() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    let (reader, stranger) = (
        world.token("prometheus").await,
        world.token("stranger").await,
    );
    let own = world.token(ACCOUNT).await;
    bind(
        api,
        &world,
        &[
            ("argocd-image-updater-metrics-reader", "prometheus"),
            ("argocd-image-updater-metrics-auth-role", ACCOUNT),
        ],
    );
    // Its account may do nothing but ask who they are.
    let server = start(api, &way, &world, &own, &folder);
    let status = async |token| scrape(&server, token).await.status;
    eventually("the roles count", async || {
        (status(Some(&*reader)).await == 200).then_some(())
    })
    .await;
    assert_eq!(status(None).await, 401);
    assert_eq!(status(Some("made-up")).await, 401);
    assert_eq!(status(Some(&*stranger)).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_to_ask_nothing_else_is_missing() {
    let Some((api, world)) = World::new().await else {
        return;
    };
    let (way, folder) = (Way::to(api).await, TempDir::new().unwrap());
    let own = world.token("nobody").await;
    let server = start(api, &way, &world, &own, &folder);
    for _ in 0..2 {
        assert_eq!(scrape(&server, Some(&own)).await.status, 503);
    }
    let said = ["level=warning", "create tokenreviews.authentication.k8s.io"];
    assert_eq!(server.log.wait_for_count(1, &said).len(), 1);
    announce(&server, "ghcr.io", "ghcr.io/team/shop:1.1.0", "").await;
    assert!(!server.log.text().contains(&own));
}
