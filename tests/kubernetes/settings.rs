//! Settings, secrets and the certificate follow the cluster's objects.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::Role;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::DeleteParams;
use kube::api::ListParams;
use kube::api::Patch;
use kube::api::PatchParams;
use kube::api::PostParams;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::deliver::deliver;
use crate::edge::client;
use crate::edge::files::Pair;
use crate::server::Server;
use crate::server::field;
use crate::server::program;
use crate::support::ApiServer;
use crate::support::Way;
use crate::support::World;
use crate::support::eventually;

const CONFIG: &str = "argocd-image-updater-config";
const SECRET: &str = "argocd-image-updater-secret";
const TLS: &str = "argocd-image-updater-tls";

/// Within which a change has to count.
const IN_TIME: Duration = Duration::from_secs(2);

/// A namespace with an account that may do what the program's Role lets it do, and a kubeconfig of that account.
struct Home {
    world: World,
    folder: TempDir,
}

impl Home {
    /// Everything of the Role but what is said about `configmaps` and `secrets`.
    async fn new() -> Option<(&'static ApiServer, Self)> {
        let (server, world) = World::new().await?;
        let own = &server.url().to_owned();
        let home = Self::by(server, own, world).await;
        Some((server, home))
    }

    /// Reaches the API server by another address.
    async fn by(server: &ApiServer, url: &str, world: World) -> Self {
        let folder = TempDir::new().unwrap();
        let token = world.token("updater").await;
        let kubeconfig = server.kubeconfig(&token, &world.namespace);
        let kubeconfig = kubeconfig.replace(server.url(), url);
        fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
        let home = Self { world, folder };
        let read = ["get", "list", "watch"];
        let rules = json!([
            {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": read},
            {"apiGroups": ["argocd-image-updater.argoproj.io"], "resources": ["imageupdaters"], "verbs": read},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        ]);
        home.allow("resources", rules).await;
        home
    }

    /// The same with the right to read settings and secrets.
    async fn with_rights() -> Option<(&'static ApiServer, Self)> {
        let (server, home) = Self::new().await?;
        home.may_read(&["configmaps", "secrets"]).await;
        Some((server, home))
    }

    /// The objects of these names, and no others.
    async fn may_read(&self, resources: &[&str]) {
        let (verbs, names) = (["get", "list", "watch"], [CONFIG, SECRET, TLS]);
        let rule = json!({"apiGroups": [""], "resources": resources, "verbs": verbs, "resourceNames": names});
        self.allow("settings", json!([rule])).await;
    }

    async fn allow(&self, name: &str, rules: Value) {
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "updater", "namespace": self.world.namespace}],
        });
        self.create::<Role>(role).await;
        self.create::<RoleBinding>(binding).await;
    }

    fn all<T>(&self) -> Api<T>
    where
        T: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    async fn create<T>(&self, object: Value)
    where
        T: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let object: T = serde_json::from_value(object).unwrap();
        let (all, how) = (self.all::<T>(), PostParams::default());
        all.create(&how, &object).await.unwrap();
    }

    async fn settings(&self, values: Value) {
        let object = json!({"metadata": {"name": CONFIG}, "data": values});
        self.create::<ConfigMap>(object).await;
    }

    async fn secret(&self, name: &str, values: Value) {
        let object = json!({"metadata": {"name": name}, "stringData": values});
        self.create::<Secret>(object).await;
    }

    /// Changes settings, and says when.
    async fn set(&self, values: Value) -> Instant {
        let patch = Patch::Merge(json!({"data": values}));
        let all = self.all::<ConfigMap>();
        let how = PatchParams::default();
        all.patch(CONFIG, &how, &patch).await.unwrap();
        Instant::now()
    }

    /// Changes a Secret, and says when.
    async fn rotate(&self, name: &str, values: Value) -> Instant {
        let patch = Patch::Merge(json!({"stringData": values}));
        let all = self.all::<Secret>();
        let how = PatchParams::default();
        all.patch(name, &how, &patch).await.unwrap();
        Instant::now()
    }

    /// The command line of `webhook` with this account.
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = program();
        command
            .args(["webhook", "--webhook-port", "0"])
            .args(["--watch-namespaces", &self.world.namespace])
            .arg("--kubeconfig")
            .arg(self.folder.path().join("kubeconfig"))
            .arg("--tls-dir")
            .arg(self.folder.path().join("tls"))
            .args(arguments);
        command
    }

    /// Starts it, and waits until it is ready.
    fn start(&self, arguments: &[&str]) -> Server {
        let server = Server::spawn(self.command(arguments));
        server.log.wait_for(&["msg=ready"]);
        server
    }
}

/// What a delivery with this secret is answered.
async fn status(server: &Server, secret: &str) -> u16 {
    let image = "ghcr.io/acme/web:1.0.0";
    deliver(server, "ghcr.io", image, secret).await.status
}

/// Waits until a delivery with this secret is answered so.
async fn until(server: &Server, secret: &str, wanted: u16) {
    eventually(secret, async || {
        (status(server, secret).await == wanted).then_some(())
    })
    .await;
}

fn address(server: &Server) -> SocketAddr {
    let (host, port) = server.address();
    format!("{host}:{port}").parse().unwrap()
}

#[tokio::test]
async fn a_rotated_secret_counts_in_time_and_is_never_told() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    let secrets = home.folder.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("webhook.ghcr-secret"), "hunter-mounted").unwrap();
    let key = |text: &str| json!({"webhook.ghcr-secret": text});
    home.secret(SECRET, key("hunter-old")).await;
    let dir = secrets.to_str().unwrap();
    let server = home.start(&["--secrets-dir", dir, "--loglevel", "trace"]);
    assert_eq!(status(&server, "hunter-old").await, 200);
    assert_eq!(status(&server, "hunter-mounted").await, 401);

    let changed = home.rotate(SECRET, key("hunter-new\nhunter-old")).await;
    until(&server, "hunter-new", 200).await;
    assert!(changed.elapsed() < IN_TIME, "{:?}", changed.elapsed());
    assert_eq!(status(&server, "hunter-old").await, 200);
    let changed = home.rotate(SECRET, key("hunter-new")).await;
    until(&server, "hunter-old", 401).await;
    assert!(changed.elapsed() < IN_TIME, "{:?}", changed.elapsed());

    let all = home.all::<Secret>();
    all.delete(SECRET, &DeleteParams::default()).await.unwrap();
    until(&server, "hunter-mounted", 200).await;
    assert_eq!(status(&server, "hunter-new").await, 401);
    let log = server.log.text();
    assert!(!log.contains("hunter"), "{log}");
}

#[tokio::test]
async fn a_certificate_is_replaced_and_connections_stay() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    let pair = |pair: &Pair| json!({"tls.crt": pair.certificate, "tls.key": pair.key});
    let (mounted, first, second) = (Pair::valid(), Pair::valid(), Pair::valid());
    let folder = home.folder.path().join("tls");
    fs::create_dir(&folder).unwrap();
    mounted.write(&folder);
    let server = home.start(&[]);
    let address = address(&server);
    assert_eq!(client::certificate(address).await, mounted.der);

    home.secret(TLS, pair(&first)).await;
    let came = client::until_served(address, &first.der).await;
    assert!(came < IN_TIME, "{came:?}");
    let mut connection = client::wire(address).await;
    home.rotate(TLS, pair(&second)).await;
    let came = client::until_served(address, &second.der).await;
    assert!(came < IN_TIME, "{came:?}");
    let request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    connection.send(request).await;
    assert_eq!(connection.reply().await.status, 200);

    home.rotate(TLS, json!({"tls.crt": "nonsense"})).await;
    server.log.wait_for(&["keeping the previous certificate"]);
    assert_eq!(client::certificate(address).await, second.der);
    let log = server.log.text();
    assert!(!log.contains("PRIVATE"), "{log}");
}

#[tokio::test]
async fn level_and_rate_change_while_it_runs() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    home.settings(json!({"log.level": "info"})).await;
    let server = home.start(&[]);
    let healthy = async || {
        let mut wire = client::wire(address(&server)).await;
        let request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
        wire.send(request).await;
        wire.reply().await.status
    };
    assert_eq!(healthy().await, 200);
    assert_eq!(server.log.with(&["level=debug"]), [""; 0]);

    let values = json!({"log.level": "debug", "webhook.ratelimit-allowed": "7"});
    let changed = home.set(values).await;
    let counts = "the setting changed and counts from now on";
    let line = server.log.wait_for(&[counts, "log.level"]);
    assert!(changed.elapsed() < IN_TIME, "{:?}", changed.elapsed());
    assert_eq!(
        [
            field(&line, "old"),
            field(&line, "new"),
            field(&line, "place")
        ],
        ["info", "debug", &format!("configmap/{CONFIG}:log.level")]
    );
    server
        .log
        .wait_for(&[counts, "webhook.ratelimit-allowed", "new=7"]);
    assert_eq!(healthy().await, 200);
    server.log.wait_for(&["level=debug", "request answered"]);

    let all = home.all::<ConfigMap>();
    all.delete(CONFIG, &DeleteParams::default()).await.unwrap();
    server.log.wait_for(&[counts, "log.level", "new=info"]);
}

#[tokio::test]
async fn a_broken_change_is_refused_as_a_whole_and_an_event_says_why() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    home.settings(json!({"log.level": "info"})).await;
    let server = home.start(&[]);
    home.set(
        json!({"log.level": "loud", "webhook.ratelimit-allowed": "many", "webhook.port": "1"}),
    )
    .await;
    let line = server.log.wait_for(&["are refused as a whole"]);
    assert!(line.contains("level=error"), "{line}");
    for part in ["loud", "many"] {
        assert!(line.contains(part), "{line}");
    }
    let event = eventually("event", async || {
        let events = home.all::<Event>().list(&ListParams::default()).await;
        let mut events = events.unwrap().items.into_iter();
        events.find(|event| event.reason.as_deref() == Some("SettingsRefused"))
    })
    .await;
    let config_map = home.all::<ConfigMap>().get(CONFIG).await.unwrap();
    assert_eq!(event.involved_object.uid, config_map.metadata.uid);
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let message = event.message.unwrap();
    assert!(
        message.contains("loud") && message.contains("many"),
        "{message}"
    );

    home.set(json!({"log.level": "debug", "webhook.ratelimit-allowed": "1"}))
        .await;
    server.log.wait_for(&["the settings can be used again"]);
    server.log.wait_for(&["counts from now on", "new=debug"]);
    assert_eq!(server.log.with(&["are refused as a whole"]).len(), 1);
}

#[tokio::test]
async fn registries_that_the_config_map_describes_are_followed_and_mistakes_told() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    let described = |name: &str| {
        let entry = format!("{{name: {name}, api_url: 'https://a.example', prefix: a.example}}");
        let template = "{{ .Name }}";
        json!({"registries.conf": format!("registries:\n- {entry}\n"), "git.commit-message-template": template})
    };
    home.settings(described("A")).await;
    let server = home.start(&[]);
    let place = "configmap/argocd-image-updater-config:registries.conf";
    server
        .log
        .wait_for(&["registries are described", place, "registries=2"]);
    assert_eq!(server.log.with(&["is no setting"]).len(), 0);

    home.set(json!({"registries.conf": "registries:\n- name: A\n  api_ulr: x\n"}))
        .await;
    let line = server
        .log
        .wait_for(&["description of registries is refused as a whole"]);
    assert!(line.contains("did you mean api_url?"), "{line}");
    let event = eventually("event", async || {
        let events = home.all::<Event>().list(&ListParams::default()).await;
        let mut events = events.unwrap().items.into_iter();
        events.find(|event| event.reason.as_deref() == Some("RegistriesRefused"))
    })
    .await;
    let config_map = home.all::<ConfigMap>().get(CONFIG).await.unwrap();
    assert_eq!(event.involved_object.uid, config_map.metadata.uid);
    assert!(event.message.unwrap().contains("line 3: registry"));

    home.set(described("B")).await;
    server
        .log
        .wait_for(&["the registries changed and count from now on", place]);

    home.set(json!({"registries.conf": "registries:\n- name: A\n"}))
        .await;
    let output = home.command(&[]).arg("--loglevel=info").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("api_url: is missing") && told.contains(place),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_hidden_or_needs_a_restart_is_said_once() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    let values = json!({"log.level": "info", "webhook.queue-size": "5"});
    home.settings(values).await;
    home.secret(SECRET, json!({"webhook.ghcr-secret": "hunter-env"}))
        .await;
    let mut command = home.command(&[]);
    command
        .env("IMAGE_UPDATER_LOGLEVEL", "info")
        .env("GHCR_WEBHOOK_SECRET", "hunter-env");
    let server = Server::spawn(command);
    server.log.wait_for(&["msg=ready"]);
    assert_eq!(server.log.with(&["is not used"]), [""; 0], "it is the same");

    home.set(json!({"log.level": "debug", "webhook.queue-size": "6"}))
        .await;
    let hidden = server.log.wait_for(&["a stronger source hides it"]);
    assert_eq!(field(&hidden, "by"), "$IMAGE_UPDATER_LOGLEVEL");
    assert_eq!(field(&hidden, "new"), "debug");
    let restart = server
        .log
        .wait_for(&["restart the program for it to count"]);
    assert_eq!(
        [
            field(&restart, "setting"),
            field(&restart, "old"),
            field(&restart, "new")
        ],
        ["webhook.queue-size", "5", "6"]
    );
    home.rotate(SECRET, json!({"webhook.ghcr-secret": "hunter-new"}))
        .await;
    server
        .log
        .wait_for(&["the secret changed, but $GHCR_WEBHOOK_SECRET hides it"]);
    assert_eq!(status(&server, "hunter-env").await, 200);
    assert_eq!(status(&server, "hunter-new").await, 401);
    home.set(json!({"webhook.queue-size": "5"})).await;
    server.log.wait_for(&["no restart is needed"]);
    assert_eq!(server.log.with(&["a stronger source hides it"]).len(), 1);
    let log = server.log.text();
    assert!(!log.contains("hunter"), "{log}");
}

#[tokio::test]
async fn a_missing_permission_costs_the_objects_alone() {
    let Some((_, home)) = Home::new().await else {
        return;
    };
    let secrets = home.folder.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("webhook.ghcr-secret"), "mounted").unwrap();
    home.secret(SECRET, json!({"webhook.ghcr-secret": "object"}))
        .await;
    home.settings(json!({"log.level": "debug"})).await;
    let server = home.start(&["--secrets-dir", secrets.to_str().unwrap()]);
    for resource in ["configmaps", "secrets"] {
        let permission = format!("the permission to list {resource} in namespace");
        let told = server.log.with(&["level=warning", &permission]);
        assert_eq!(told.len(), 1, "{}", server.log.text());
    }
    assert_eq!(status(&server, "mounted").await, 200);
    assert_eq!(status(&server, "object").await, 401);

    home.may_read(&["configmaps", "secrets"]).await;
    until(&server, "object", 200).await;
    server.log.wait_for(&["counts from now on", "new=debug"]);
}

/// The way to the API server is carried beside the waiting for the program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_the_api_server_was_away_is_found() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let way = Way::to(server).await;
    let home = Home::by(server, &way.url(), world).await;
    home.may_read(&["configmaps", "secrets"]).await;
    home.settings(json!({"log.level": "info"})).await;
    home.secret(SECRET, json!({"webhook.ghcr-secret": "old"}))
        .await;
    let server = home.start(&[]);
    way.cut();
    server.log.wait_for(&["the object is not followed", SECRET]);
    home.set(json!({"log.level": "debug"})).await;
    home.rotate(SECRET, json!({"webhook.ghcr-secret": "new"}))
        .await;
    assert_eq!(status(&server, "old").await, 200, "what was known stays");
    way.open();
    until(&server, "new", 200).await;
    server.log.wait_for(&["counts from now on", "new=debug"]);
    server
        .log
        .wait_for(&["the object is followed again", SECRET]);
}

/// An API server that cannot be reached at first, and a process that was started without it.
async fn started_without(settings: Value) -> Option<(Way, Home, Server)> {
    let (server, world) = World::new().await?;
    let way = Way::to(server).await;
    let home = Home::by(server, &way.url(), world).await;
    home.may_read(&["configmaps", "secrets"]).await;
    home.settings(settings).await;
    home.secret(SECRET, json!({"webhook.ghcr-secret": "object"}))
        .await;
    way.cut();
    let mut command = home.command(&[]);
    let secrets = home.folder.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("webhook.ghcr-secret"), "mounted").unwrap();
    command.arg("--secrets-dir").arg(&secrets);
    let server = Server::spawn(command);
    Some((way, home, server))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_the_start_goes_on_and_the_objects_count_later() {
    let Some((way, home, server)) = started_without(json!({"log.level": "debug"})).await else {
        return;
    };
    for object in [CONFIG, SECRET, TLS] {
        let told = server
            .log
            .with(&["level=warning", object, "could not be read"]);
        assert_eq!(told.len(), 1, "{}", server.log.text());
    }
    assert_eq!(status(&server, "mounted").await, 200);
    assert_eq!(server.log.with(&["msg=ready"]), [""; 0]);
    way.open();
    until(&server, "object", 200).await;
    server.log.wait_for(&["counts from now on", "new=debug"]);
    server.log.wait_for(&["msg=ready"]);

    home.set(json!({"webhook.queue-size": "8"})).await;
    server
        .log
        .wait_for(&["restart the program", "webhook.queue-size", "new=8"]);
    assert_eq!(status(&server, "object").await, 200, "it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_late_and_counts_only_from_a_start_on_ends_the_process() {
    let settings = json!({"log.level": "debug", "webhook.queue-size": "7"});
    let Some((way, _home, mut server)) = started_without(settings).await else {
        return;
    };
    way.open();
    let line = server.log.wait_for(&["read only after the start"]);
    assert!(line.contains("level=error"), "{line}");
    assert_eq!(field(&line, "settings"), "webhook.queue-size");
    server.log.wait_for(&["msg=finished"]);
    assert_eq!(server.wait().code(), Some(1));
    assert_eq!(server.log.with(&["msg=ready"]), [""; 0]);
}

/// A server that has just started refuses what it will allow.
#[tokio::test]
async fn who_is_refused_for_a_moment_is_ready_only_with_the_secrets() {
    let Some((_, home)) = Home::new().await else {
        return;
    };
    home.secret(SECRET, json!({"webhook.ghcr-secret": "object"}))
        .await;
    let server = Server::spawn(home.command(&[]));
    assert_eq!(status(&server, "object").await, 404);
    assert_eq!(server.log.with(&["msg=ready"]), [""; 0]);
    home.may_read(&["configmaps", "secrets"]).await;
    server.log.wait_for(&["msg=ready"]);
    until(&server, "object", 200).await;
}

#[tokio::test]
async fn the_command_config_tells_values_of_objects_with_their_place() {
    let Some((_, home)) = Home::with_rights().await else {
        return;
    };
    home.settings(json!({"log.level": "warn", "webhook.body-timeout": "x"}))
        .await;
    home.secret(SECRET, json!({"webhook.quay-secret": "hunter2"}))
        .await;
    let mut command = program();
    command.args(["config", "webhook", "--kubeconfig"]);
    command.arg(home.folder.path().join("kubeconfig"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(64), "{text}");
    let has = |parts: &[&str]| {
        let mut lines = text.lines();
        let found = lines.any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "{parts:?} in {text}");
    };
    has(&[
        "log.level",
        "warn",
        &format!("configmap/{CONFIG}:log.level"),
    ]);
    let place = format!("secret/{SECRET}:webhook.quay-secret");
    has(&["webhook.quay-secret", "[set, 1 value]", &place]);
    has(&["webhook.body-timeout", "is \"x\""]);
    assert!(!text.contains("hunter2"), "{text}");
}
