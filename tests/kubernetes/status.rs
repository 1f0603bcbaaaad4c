//! What people are told: statuses of ImageUpdaters and Events, and what that costs.

#[path = "../support/verified.rs"]
mod verified;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use image_updater::adapters::kubernetes::client::Cluster;
use image_updater::adapters::kubernetes::events::ClusterAnnouncer;
use image_updater::adapters::kubernetes::resources::ClusterResources;
use image_updater::adapters::kubernetes::scope::Scope;
use image_updater::adapters::kubernetes::status_writer::ClusterStatusWriter;
use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::pace::Governed;
use image_updater::app::settings::Confirm;
use image_updater::app::status;
use image_updater::app::status::Reporter;
use image_updater::app::updater;
use image_updater::app::updater::Updater;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::queue::accepted::Accepted;
use image_updater::domain::rate_policy::RatePolicy;
use image_updater::domain::reference::Reference;
use image_updater::ports::event_queue::EventQueue;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::ResourceExt;
use kube::api::DeleteParams;
use kube::api::ListParams;
use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::Value;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::verified::verified;
use crate::support::ApiServer;
use crate::support::Proxy;
use crate::support::World;
use crate::support::eventually;

/// The program without its door, and a proxy that counts its requests.
struct Program {
    proxy: Proxy,
    queue: Arc<InMemoryQueue>,
    close: watch::Sender<bool>,
    working: JoinHandle<()>,
    watching: JoinHandle<()>,
}

impl Program {
    /// With the rights of a bearer token, in the namespace of a test.
    async fn start(server: &ApiServer, world: &World, token: &str) -> Self {
        let proxy = Proxy::of(server.client(token, &world.namespace).await).await;
        let cluster = Cluster::new(proxy.config(), Some(world.namespace.clone())).unwrap();
        let scope = Scope::Namespaces(vec![world.namespace.clone()]);
        let resources = Arc::new(ClusterResources::new(cluster, scope));
        let watching = tokio::spawn(Arc::clone(&resources).watch());
        let queue = Arc::new(InMemoryQueue::new(100));
        let reporter = Reporter::new(status::Ports {
            reader: Arc::clone(&resources) as _,
            writer: Arc::new(ClusterStatusWriter::new(Arc::clone(&resources))),
            announcer: Some(Arc::new(ClusterAnnouncer::new(Arc::clone(&resources)))),
        });
        let updater = Updater::new(
            updater::Ports {
                queue: Arc::clone(&queue) as _,
                reader: Arc::clone(&resources) as _,
                trigger: Some(resources),
                pace: Arc::new(Governed::new(RatePolicy::per_hour(0))),
                spread: None,
                registry: None,
            },
            updater::Terms {
                confirm: Confirm::Event,
                never_downgrade: false,
                credential_kinds: Vec::new(),
                registries: None,
                is_durable: false,
            },
        );
        let updater = updater.reporting_to(reporter);
        let (close, closing) = watch::channel(false);
        let working = tokio::spawn(async move { updater.run(closing).await });
        Self {
            proxy,
            queue,
            close,
            working,
            watching,
        }
    }

    async fn push(&self, image: &str) {
        self.queue.push(verified(accepted(image))).await.unwrap();
    }

    /// Ends it in order: whatever it has to tell it has told then.
    async fn finish(&mut self) {
        self.close.send_replace(true);
        (&mut self.working).await.unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.working.abort();
        self.watching.abort();
    }
}

/// A delivery that announces an image.
fn accepted(image: &str) -> Accepted {
    let reference = Reference::parse(image).unwrap();
    let event = ImageEvent {
        image: reference.name().clone(),
        tag: reference.tag().unwrap().clone(),
        digest: None,
    };
    Accepted {
        delivery: DeliveryId::new("test"),
        sender: "test".to_owned(),
        key: None,
        at: std::time::SystemTime::now(),
        trace: None,
        events: vec![event],
    }
}

fn runs(image: &str) -> Value {
    json!({"source": {"repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": [image]}}})
}

/// An ImageUpdater that has Applications of a pattern follow images.
fn follows(pattern: &str, images: &[String]) -> Value {
    let images = images.iter().enumerate();
    let images: Vec<_> = images
        .map(|(n, image)| json!({"alias": format!("i{n}"), "imageName": image}))
        .collect();
    json!({"applicationRefs": [{"namePattern": pattern, "images": images}]})
}

fn nginx() -> Vec<String> {
    vec!["nginx:1.x".to_owned()]
}

async fn updater(world: &World, name: &str) -> Value {
    let object = world.updaters().get(name).await.unwrap();
    serde_json::to_value(object).unwrap()
}

/// Waits until an ImageUpdater's condition has this reason, and gives the ImageUpdater.
async fn has_reason(world: &World, name: &str, kind: &str, reason: &str) -> Value {
    eventually(reason, async || {
        let object = updater(world, name).await;
        (condition(&object, kind)["reason"] == reason).then_some(object)
    })
    .await
}

fn condition<'o>(object: &'o Value, kind: &str) -> &'o Value {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let found = conditions.find(|condition| condition["type"] == kind);
    found.unwrap_or(&Value::Null)
}

async fn versions(world: &World) -> BTreeMap<String, String> {
    let all = world.updaters().list(&ListParams::default()).await.unwrap();
    let versions = all.into_iter();
    versions
        .map(|one| (one.name_any(), one.resource_version().unwrap()))
        .collect()
}

async fn events(world: &World) -> Vec<Event> {
    let all: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    all.list(&ListParams::default()).await.unwrap().items
}

/// How many Events there are for each reason.
async fn reasons(world: &World) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for event in events(world).await {
        *reasons.entry(event.reason.unwrap()).or_default() += 1;
    }
    reasons
}

async fn image_of(world: &World, application: &str) -> Value {
    let object = world.read(application).await;
    object["spec"]["source"]["kustomize"]["images"][0].clone()
}

/// Fifty ImageUpdaters with ten Applications each.
async fn fleet(world: &World) {
    let updaters = (0..50).map(async |n| {
        let images = ["one", "rest"].map(|name| format!("ghcr.io/acme/{name}-{n}:1.x"));
        let pattern = format!("app-{n}-*");
        world
            .updater(&format!("u{n}"), follows(&pattern, &images))
            .await;
    });
    join_all(updaters).await;
    let applications = (0..500).map(async |k| {
        let (updater, n) = (k / 10, k % 10);
        let name = if n == 0 { "one" } else { "rest" };
        let image = format!("ghcr.io/acme/{name}-{updater}:1.0.0");
        let application = format!("app-{updater}-{n}");
        world.application(&application, runs(&image)).await;
        let live = json!({"summary": {"images": [image]}});
        world.status(&application, live).await;
    });
    join_all(applications).await;
}

#[tokio::test]
async fn an_event_costs_a_patch_an_event_and_a_status() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    fleet(&world).await;
    let mut program = Program::start(server, &world, "admin").await;
    for n in [0, 49] {
        has_reason(&world, &format!("u{n}"), "Ready", "ReconcileSucceeded").await;
    }
    eventually("every status was written", async || {
        (program.proxy.count("PATCH", "/status") == 50).then_some(())
    })
    .await;
    let before = updater(&world, "u7").await;
    assert_eq!(before["status"]["applicationsMatched"], 10);
    assert_eq!(before["status"]["imagesManaged"], 10);
    assert_eq!(before["status"]["observedGeneration"], 1);
    assert_eq!(before["status"]["lastUpdatedAt"], Value::Null);
    let before = versions(&world).await;
    program.proxy.paths();

    program.push("ghcr.io/acme/one-7:1.1.0").await;
    eventually("the Application is changed", async || {
        let image = image_of(&world, "app-7-0").await;
        (image == "ghcr.io/acme/one-7:1.1.0").then_some(())
    })
    .await;
    program.finish().await;

    let mut asked = program.proxy.paths();
    asked.sort();
    let namespace = &world.namespace;
    assert_eq!(
        asked,
        [
            format!(
                "PATCH /apis/argocd-image-updater.argoproj.io/v1alpha1/namespaces/{namespace}/imageupdaters/u7/status"
            ),
            format!("PATCH /apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/app-7-0"),
            format!("POST /api/v1/namespaces/{namespace}/events"),
        ]
    );
    let mut after = versions(&world).await;
    assert_ne!(after.remove("u7"), before.get("u7").cloned());
    assert!(
        after
            .iter()
            .all(|(name, version)| before.get(name) == Some(version))
    );

    tells_of_the_update(&world).await;
}

/// The status of `u7` and the Event about `app-7-0`.
async fn tells_of_the_update(world: &World) {
    let status = updater(world, "u7").await["status"].clone();
    assert_eq!(status["applicationsMatched"], 10);
    let update = &status["recentUpdates"][0];
    assert_eq!(update["image"], "ghcr.io/acme/one-7");
    assert_eq!(update["applicationsUpdated"], 1);
    assert_eq!(update["message"], "Updated from 1.0.0 to 1.1.0.");
    assert_eq!(status["lastUpdatedAt"], update["updatedAt"]);
    let [event] = &events(world).await[..] else {
        panic!("not one Event");
    };
    let application = world.read("app-7-0").await;
    let about = &event.involved_object;
    assert_eq!(about.kind.as_deref(), Some("Application"));
    assert_eq!(
        about.uid.as_deref(),
        application["metadata"]["uid"].as_str()
    );
    assert_eq!(event.reason.as_deref(), Some("ImagesUpdated"));
    assert_eq!(
        event.annotations()["argocd-image-updater.image-0/new-tag"],
        "1.1.0"
    );
}

#[tokio::test]
async fn of_two_updaters_of_one_image_the_older_decides_and_the_other_says_so() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    world.application("web", runs("nginx:1.0.0")).await;
    // By name, too, should both be made within a second.
    world.updater("a-older", follows("*", &nginx())).await;
    world.updater("b-younger", follows("*", &nginx())).await;
    let program = Program::start(server, &world, "admin").await;
    let younger = has_reason(
        &world,
        "b-younger",
        "Overlapping",
        "OtherImageUpdaterDecides",
    )
    .await;
    let overlapping = condition(&younger, "Overlapping");
    assert_eq!(overlapping["status"], "True");
    let other = format!("ImageUpdater {}/a-older (1)", world.namespace);
    assert!(overlapping["message"].as_str().unwrap().contains(&other));

    program.push("nginx:1.1.0").await;
    let older = eventually("the older one tells of the update", async || {
        let older = updater(&world, "a-older").await;
        older["status"]["recentUpdates"].is_array().then_some(older)
    })
    .await;
    assert_eq!(condition(&older, "Overlapping"), &Value::Null);
    assert_eq!(image_of(&world, "web").await, "nginx:1.1.0");
    let younger = updater(&world, "b-younger").await;
    assert_eq!(younger["status"]["recentUpdates"], Value::Null);
    assert_eq!(program.proxy.count("PATCH", "/applications/web"), 1);

    let all = world.updaters();
    all.delete("a-older", &DeleteParams::default())
        .await
        .unwrap();
    has_reason(&world, "b-younger", "Overlapping", "NoOverlap").await;
    program.push("nginx:1.2.0").await;
    eventually("the younger one decides", async || {
        let younger = updater(&world, "b-younger").await;
        younger["status"]["recentUpdates"].is_array().then_some(())
    })
    .await;
    assert_eq!(image_of(&world, "web").await, "nginx:1.2.0");
}

#[tokio::test]
async fn who_asks_for_git_is_told_that_it_is_not_possible() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    world.application("web", runs("nginx:1.0.0")).await;
    let mut spec = follows("*", &nginx());
    spec["writeBackConfig"] = json!({"method": "git"});
    let made = world.updater("git", spec).await;
    let mut program = Program::start(server, &world, "admin").await;
    let git = has_reason(&world, "git", "Ready", "WriteBackMethodNotSupported").await;
    assert_eq!(condition(&git, "Ready")["status"], "False");
    program.push("nginx:1.1.0").await;
    program.finish().await;
    assert_eq!(image_of(&world, "web").await, "nginx:1.0.0");
    let [event] = &events(&world).await[..] else {
        panic!("not one Event");
    };
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(event.involved_object.uid, made.uid());
    assert_eq!(event.reason.as_deref(), Some("WriteBackMethodNotSupported"));

    // Another process sees that it was told, and an edit that it is so no more.
    let again = Program::start(server, &world, "admin").await;
    let edit = json!({"spec": {"writeBackConfig": {"method": "argocd"}}});
    let (how, edit) = (PatchParams::default(), Patch::Merge(edit));
    world.updaters().patch("git", &how, &edit).await.unwrap();
    let edited = has_reason(&world, "git", "Ready", "ReconcileSucceeded").await;
    assert_eq!(edited["status"]["observedGeneration"], 2);
    drop(again);
    assert_eq!(events(&world).await.len(), 1);
}

const APPLICATIONS: &str = "applications.argoproj.io";
const UPDATERS: &str = "imageupdaters.argocd-image-updater.argoproj.io";
const STATUSES: &str = "imageupdaters.argocd-image-updater.argoproj.io/status";

/// Gives a service account verbs on resources, by a Role of that name.
fn allow(server: &ApiServer, world: &World, name: &str, verbs: &str, resources: &[&str]) {
    let of = ["-n", &world.namespace];
    let (verbs, resources) = (format!("--verb={verbs}"), resources.join(","));
    let resources = format!("--resource={resources}");
    let role = ["create", "role", name, &verbs, &resources];
    server.kubectl(&[&role[..], &of].concat(), "").unwrap();
    let to = format!("--serviceaccount={}:limited", world.namespace);
    let role = format!("--role={name}");
    let binding = ["create", "rolebinding", name, &role, &to];
    server.kubectl(&[&binding[..], &of].concat(), "").unwrap();
}

/// The program, which has been denied to write `nginx:1.1.0` into the Application `web`.
async fn denied(server: &ApiServer, world: &World) -> Program {
    world.application("web", runs("nginx:1.0.0")).await;
    world.updater("all", follows("*", &nginx())).await;
    let token = world.token("limited").await;
    let read = [APPLICATIONS, UPDATERS];
    allow(server, world, "read", "get,list,watch", &read);
    let tell = ["events", STATUSES];
    allow(server, world, "tell", "create,patch", &tell);
    let program = Program::start(server, world, &token).await;
    has_reason(world, "all", "Ready", "ReconcileSucceeded").await;
    program.push("nginx:1.1.0").await;
    has_reason(world, "all", "Error", "PartialErrors").await;
    program
}

#[tokio::test]
async fn a_failure_ends_when_somebody_else_does_what_failed() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let mut program = denied(server, &world).await;
    world
        .merge("web", json!({"spec": runs("nginx:1.1.0")}))
        .await;
    has_reason(&world, "all", "Error", "NoErrors").await;
    program.finish().await;
    let told = reasons(&world).await;
    assert_eq!(told["ImageUpdateRecovered"], 1);
    assert_eq!(told.get("ImagesUpdated"), None);
}

#[tokio::test]
async fn a_failure_is_told_when_it_begins_and_when_it_ends() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let mut program = denied(server, &world).await;
    let failed = has_reason(&world, "all", "Error", "PartialErrors").await;
    let message = condition(&failed, "Error")["message"].as_str().unwrap();
    assert!(
        message.contains("/web: ") && message.contains("forbidden"),
        "{message}"
    );
    assert_eq!(failed["status"]["recentUpdates"], Value::Null);
    allow(server, &world, "write", "patch", &[APPLICATIONS]);
    eventually(
        "what was denied is done, without another push",
        async || (image_of(&world, "web").await == "nginx:1.1.0").then_some(()),
    )
    .await;
    has_reason(&world, "all", "Error", "NoErrors").await;
    program.finish().await;
    let told = reasons(&world).await;
    assert_eq!(told["ImageUpdateFailed"], 1);
    assert_eq!(told["ImageUpdateRecovered"], 1);
    assert_eq!(told["ImagesUpdated"], 1);
}

#[tokio::test]
async fn a_missing_permission_costs_what_needs_it_and_one_warning() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let log = Log::default();
    let _logging = log.start();
    for name in ["a", "b", "c"] {
        world.application(name, runs("nginx:1.0.0")).await;
        let pattern = follows(name, &nginx());
        world.updater(name, pattern).await;
    }
    let token = world.token("limited").await;
    allow(server, &world, "read", "get,list,watch", &[UPDATERS]);
    allow(
        server,
        &world,
        "write",
        "get,list,watch,patch",
        &[APPLICATIONS],
    );
    let mut program = Program::start(server, &world, &token).await;
    eventually("it tried to write every status", async || {
        (program.proxy.count("PATCH", "/status") >= 3).then_some(())
    })
    .await;
    program.push("nginx:1.1.0").await;
    for name in ["a", "b", "c"] {
        eventually("it is changed", async || {
            (image_of(&world, name).await == "nginx:1.1.0").then_some(())
        })
        .await;
    }
    program.finish().await;
    assert_eq!(program.proxy.count("POST", "/events"), 3);
    let warnings = log.warnings();
    let of = |permission: &str| {
        let said = warnings.iter();
        said.filter(|line| line.contains(permission)).count()
    };
    assert_eq!(of("permission to create events"), 1, "{warnings:?}");
    assert_eq!(
        of("permission to patch imageupdaters/status"),
        1,
        "{warnings:?}"
    );
}

/// What is logged on this thread, on which all of a test runs.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        use tracing_subscriber::layer::SubscriberExt as _;
        let subscriber = tracing_subscriber::registry().with(self.clone());
        tracing::subscriber::set_default(subscriber)
    }

    /// The fields of each warning.
    fn warnings(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::WARN {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        let _ = write!(self.0, " {field}={value:?}");
    }
}
