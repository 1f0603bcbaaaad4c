//! What the cluster holds is known at once, and never believed when it may be old.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use image_updater::adapters::kubernetes::client::Cluster;
use image_updater::adapters::kubernetes::resources::ClusterResources;
use image_updater::adapters::kubernetes::scope::Scope;
use image_updater::domain::resources::Resources;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::ports::resource_reader::ResourceReader;
use kube::Config;
use kube::config::KubeConfigOptions;
use kube::config::Kubeconfig;
use serde_json::Value;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::ApiServer;
use crate::support::Way;
use crate::support::World;
use crate::support::eventually;

/// What the reader knows, and the watch that keeps it up to date.
pub(crate) struct Reading {
    pub(crate) resources: Arc<ClusterResources>,
    watching: JoinHandle<()>,
}

impl Reading {
    /// With the rights of a bearer token, at home in a namespace.
    pub(crate) async fn by(server: &ApiServer, token: &str, namespace: &str, scope: Scope) -> Self {
        Self::with(&server.kubeconfig(token, namespace), scope).await
    }

    /// As a kubeconfig says.
    async fn with(kubeconfig: &str, scope: Scope) -> Self {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Self::on(config.unwrap(), scope)
    }

    /// With a configuration of a client.
    pub(crate) fn on(config: Config, scope: Scope) -> Self {
        let cluster = Cluster::new(config, None).unwrap();
        let resources = Arc::new(ClusterResources::new(cluster, scope));
        let watching = tokio::spawn(Arc::clone(&resources).watch());
        Self {
            resources,
            watching,
        }
    }

    /// Of the namespace of a test, when it was read for the first time.
    pub(crate) async fn of(server: &ApiServer, world: &World) -> Self {
        let scope = Scope::Namespaces(vec![world.namespace.clone()]);
        let reading = Self::by(server, "admin", &world.namespace, scope).await;
        reading.resources.synced().await;
        reading
    }

    /// Watches no longer.
    pub(crate) fn stop(&self) {
        self.watching.abort();
    }

    /// The Applications of a namespace, each with its kustomize images.
    fn known(&self, namespace: &str) -> Vec<String> {
        shown(&self.resources.current(), namespace)
    }

    /// Waits until these are the Applications of a namespace.
    async fn knows(&self, namespace: &str, expected: &[&str]) -> Duration {
        let began = Instant::now();
        eventually("known", async || {
            (self.known(namespace) == expected).then_some(())
        })
        .await;
        began.elapsed()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn shown(resources: &Resources, namespace: &str) -> Vec<String> {
    let own = resources.applications.iter();
    let own = own.filter(|one| one.id.namespace == namespace);
    own.map(|one| {
        let source = one.sources.at(SourcePlace::Single).unwrap();
        let images = source.kustomize.clone().unwrap_or_default();
        format!("{} {}", one.id.name, images.join(","))
    })
    .collect()
}

fn kustomize(image: &str) -> Value {
    json!({"source": {"repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": [image]}}})
}

fn follows(image: &str) -> Value {
    json!({"applicationRefs": [{"namePattern": "*", "images": [{"alias": "x", "imageName": image}]}]})
}

#[tokio::test]
async fn objects_come_change_and_go_within_a_second() {
    const SECOND: Duration = Duration::from_secs(1);
    let Some((server, world)) = World::new().await else {
        return;
    };
    let namespace = world.namespace.as_str();
    world.application("old", kustomize("nginx:1")).await;
    world.updater("all", follows("nginx:1.x")).await;
    let reading = Reading::of(server, &world).await;
    assert_eq!(reading.known(namespace), ["old nginx:1"]);
    assert_eq!(reading.resources.current().updaters.len(), 1);

    world.application("new", kustomize("nginx:1")).await;
    let came = reading
        .knows(namespace, &["new nginx:1", "old nginx:1"])
        .await;
    world
        .merge("old", json!({"spec": kustomize("nginx:2")}))
        .await;
    let changed = reading
        .knows(namespace, &["new nginx:1", "old nginx:2"])
        .await;
    world.delete("old").await;
    let went = reading.knows(namespace, &["new nginx:1"]).await;
    for time in [came, changed, went] {
        assert!(time < SECOND, "{time:?}");
    }
}

#[tokio::test]
async fn what_argo_cd_writes_all_the_time_costs_nothing() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    world.application("shop", kustomize("nginx:1")).await;
    let status = |count: u32| {
        json!({
            "reconciledAt": format!("2026-01-01T00:00:{count:02}Z"),
            "summary": {"images": ["nginx:1"]}, "sourceType": "Kustomize",
        })
    };
    world.status("shop", status(0)).await;
    let reading = Reading::of(server, &world).await;
    let before = reading.resources.current();
    let mut last = String::new();
    for count in 1..20 {
        let object = world.status("shop", status(count)).await;
        last = object.metadata.resource_version.unwrap();
    }
    let id = before.applications[0].id.clone();
    eventually("the last status is seen", async || {
        let known = reading.resources.application(&id)?;
        (known.resource_version == last).then_some(())
    })
    .await;
    assert!(Arc::ptr_eq(&before, &reading.resources.current()));
    // The image that runs is another thing.
    let live = json!({"summary": {"images": ["nginx:2"]}, "sourceType": "Kustomize"});
    world.status("shop", live).await;
    eventually("another image runs", async || {
        (!Arc::ptr_eq(&before, &reading.resources.current())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_a_loss_nothing_is_believed_until_all_is_read_anew() {
    let Some(server) = ApiServer::own() else {
        return;
    };
    let world = World::on(&server).await;
    let namespace = world.namespace.as_str();
    world.application("kept", kustomize("nginx:1")).await;
    world.application("gone", kustomize("nginx:1")).await;
    let reading = Reading::of(&server, &world).await;
    let kept = Arc::clone(&reading.resources.current().applications[1]);
    let stops_watching = async |reading: &Reading| {
        eventually("it knows that it is behind", async || {
            (!reading.resources.is_current()).then_some(())
        })
        .await;
    };

    server.kill();
    stops_watching(&reading).await;
    assert_eq!(reading.known(namespace), ["gone nginx:1", "kept nginx:1"]);

    server.restart();
    // Whatever order things happen in: once it says that it is right, it is.
    let world = World {
        client: server.admin().await,
        namespace: world.namespace.clone(),
    };
    world.delete("gone").await;
    world.application("new", kustomize("nginx:1")).await;
    reading.resources.synced().await;
    reading
        .knows(namespace, &["kept nginx:1", "new nginx:1"])
        .await;
    let now = Arc::clone(&reading.resources.current().applications[0]);
    assert!(Arc::ptr_eq(&kept, &now), "what did not change stays");
}

#[tokio::test]
async fn as_soon_as_it_is_right_again_it_knows_what_it_missed() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let namespace = world.namespace.as_str();
    world.application("gone", kustomize("nginx:1")).await;
    world.application("kept", kustomize("nginx:1")).await;
    let way = Way::to(server).await;
    let kubeconfig = server
        .kubeconfig("admin", namespace)
        .replace(server.url(), &way.url());
    let scope = Scope::Namespaces(vec![world.namespace.clone()]);
    let reading = Reading::with(&kubeconfig, scope).await;
    reading.resources.synced().await;

    way.cut();
    eventually("it knows that it is behind", async || {
        (!reading.resources.is_current()).then_some(())
    })
    .await;
    world.delete("gone").await;
    world.application("new", kustomize("nginx:2")).await;
    assert_eq!(reading.known(namespace), ["gone nginx:1", "kept nginx:1"]);
    assert!(!reading.resources.is_current());

    way.open();
    reading.resources.synced().await;
    assert_eq!(reading.known(namespace), ["kept nginx:1", "new nginx:2"]);
}

/// Binds a service account to a Role that allows what the adapter needs in the namespace.
fn allow(server: &ApiServer, namespace: &str, account: &str) {
    let rules = "--verb=get,list,watch";
    let resource =
        "--resource=applications.argoproj.io,imageupdaters.argocd-image-updater.argoproj.io";
    let of = ["-n", namespace];
    let role = [&["create", "role", "reader", rules, resource][..], &of].concat();
    server.kubectl(&role, "").unwrap();
    let to = format!("--serviceaccount={namespace}:{account}");
    let binding = ["create", "rolebinding", "reader", "--role=reader", &to];
    server.kubectl(&[&binding[..], &of].concat(), "").unwrap();
}

#[tokio::test]
async fn without_the_whole_cluster_its_own_namespace_is_read() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let namespace = world.namespace.as_str();
    let other = World::on(server).await;
    world.application("own", kustomize("nginx:1")).await;
    other.application("theirs", kustomize("nginx:1")).await;
    let token = world.token("limited").await;
    allow(server, namespace, "limited");
    let scope = || Scope::ClusterOr(world.namespace.clone());

    let limited = Reading::by(server, &token, namespace, scope()).await;
    limited.resources.synced().await;
    assert_eq!(limited.known(namespace), ["own nginx:1"]);
    assert_eq!(limited.known(&other.namespace), [""; 0]);

    let all = Reading::by(server, "admin", namespace, scope()).await;
    all.resources.synced().await;
    assert_eq!(all.known(namespace), ["own nginx:1"]);
    assert_eq!(all.known(&other.namespace), ["theirs nginx:1"]);
}

#[tokio::test]
async fn a_permission_that_comes_later_counts() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let namespace = world.namespace.as_str();
    world.application("own", kustomize("nginx:1")).await;
    let token = world.token("limited").await;
    let scope = Scope::Namespaces(vec![world.namespace.clone()]);
    let reading = Reading::by(server, &token, namespace, scope).await;
    let early = tokio::time::timeout(Duration::from_secs(1), reading.resources.synced()).await;
    assert!(early.is_err() && !reading.resources.is_current());
    allow(server, namespace, "limited");
    reading.resources.synced().await;
    assert_eq!(reading.known(namespace), ["own nginx:1"]);
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_whole() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    for count in 0..230 {
        let name = format!("app-{count:03}");
        world.application(&name, kustomize("nginx:1")).await;
    }
    let reading = Reading::of(server, &world).await;
    let known = reading.known(&world.namespace);
    assert_eq!(known.len(), 230);
    assert!(known.is_sorted());
}
