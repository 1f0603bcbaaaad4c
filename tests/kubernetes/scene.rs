//! A real registry that is counted, and Applications of a real API server that run images of it.

use std::fs;
use std::path::PathBuf;

use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::counting::Counting;
use crate::registry::Options;
use crate::registry::Registry;
use crate::server::Server;
use crate::server::program;
use crate::support::ApiServer;
use crate::support::World;
use crate::support::eventually;

/// Where the program reads what it is to work on.
pub(crate) struct Home {
    pub(crate) api: &'static ApiServer,
    pub(crate) world: World,
    pub(crate) folder: TempDir,
}

impl Home {
    /// A namespace of its own; `None` where there is no API server.
    pub(crate) async fn new() -> Option<Self> {
        let (api, world) = World::new().await?;
        let folder = TempDir::new().unwrap();
        let kubeconfig = api.kubeconfig("admin", &world.namespace);
        fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
        Some(Self { api, world, folder })
    }

    fn description(&self) -> PathBuf {
        self.folder.path().join("registries.conf")
    }

    /// Has the program come to the API server by another address.
    pub(crate) fn by(&self, url: &str) {
        let kubeconfig = self.api.kubeconfig("admin", &self.world.namespace);
        let kubeconfig = kubeconfig.replace(self.api.url(), url);
        fs::write(self.folder.path().join("kubeconfig"), kubeconfig).unwrap();
    }

    /// A command of the program.
    pub(crate) fn command(&self, command: &str, flags: &[&str]) -> std::process::Command {
        let mut program = program();
        program
            .args([command, "--loglevel", "debug"])
            .args(["--watch-namespaces", &self.world.namespace])
            .arg("--kubeconfig")
            .arg(self.folder.path().join("kubeconfig"))
            .arg("--registries-conf-path")
            .arg(self.description())
            .args(flags);
        program
    }

    /// Serves `webhook`, which confirms at the registry, and waits until it is ready.
    pub(crate) fn webhook(&self, flags: &[&str]) -> Server {
        let own = ["--webhook-port=0", "--webhook-confirm=registry"];
        let command = self.command("webhook", &[&own[..], flags].concat());
        let server = Server::spawn(command);
        server.log.wait_for(&["msg=ready"]);
        server
    }

    /// Runs `run`, and waits until it is ready.
    pub(crate) fn run(&self, flags: &[&str]) -> Server {
        let server = Server::deaf(self.command("run", flags));
        server.log.wait_for(&["msg=ready"]);
        server
    }
}

/// A registry, and what runs its images.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) registry: Registry,
    pub(crate) proxy: Counting,
}

impl Scene {
    /// One without Applications and images; `None` where there is no API server or no registry.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(Home::new().await?, &Options::default()).await
    }

    /// The same with a registry that runs so.
    pub(crate) async fn with(home: Home, options: &Options) -> Option<Self> {
        let registry = Registry::start(options)?;
        let proxy = Counting::before(&registry.authority).await;
        let (authority, api) = (&registry.authority, proxy.url());
        let text =
            format!("registries:\n- {{name: Tests, prefix: '{authority}', api_url: '{api}'}}\n");
        fs::write(home.description(), text).unwrap();
        Some(Self {
            home,
            registry,
            proxy,
        })
    }

    /// The full name of an image there, with a tag.
    pub(crate) fn image(&self, repository: &str, tag: &str) -> String {
        format!("{}/{repository}:{tag}", self.registry.authority)
    }

    /// Pushes tags, each of an image of its own.
    pub(crate) async fn push(&self, repository: &str, tags: &[&str]) {
        let pusher = self.registry.pusher(repository, "");
        for tag in tags {
            let created = "2025-01-01T00:00:00Z";
            pusher.image(Some(tag), "linux/amd64", created).await;
        }
    }

    /// Adds an Application that runs a tag of the repository of its name.
    pub(crate) async fn runs(&self, repository: &str, tag: &str) {
        let source = json!({
            "repoURL": "https://example.com/x.git", "path": "x",
            "kustomize": {"images": [self.image(repository, tag)]},
        });
        let world = &self.home.world;
        world
            .application(repository, json!({"source": source}))
            .await;
    }

    /// Adds an ImageUpdater of the Application of that name, which follows a constraint.
    pub(crate) async fn follows(&self, repository: &str, constraint: &str, settings: &Value) {
        let spec = self.spec(repository, constraint, settings);
        self.home.world.updater(repository, spec).await;
    }

    /// Has an ImageUpdater follow another constraint.
    pub(crate) async fn edit(&self, repository: &str, constraint: &str) {
        let spec = json!({"spec": self.spec(repository, constraint, &json!({}))});
        let (all, how) = (self.home.world.updaters(), PatchParams::default());
        all.patch(repository, &how, &Patch::Merge(spec))
            .await
            .unwrap();
    }

    fn spec(&self, repository: &str, constraint: &str, settings: &Value) -> Value {
        let image = json!({
            "alias": "main", "imageName": self.image(repository, constraint), "commonUpdateSettings": settings,
        });
        json!({"applicationRefs": [{"namePattern": repository, "images": [image]}]})
    }

    /// Waits until an Application runs a tag.
    pub(crate) async fn until_it_runs(&self, repository: &str, tag: &str) {
        let image = self.image(repository, tag);
        eventually(&image, async || {
            let found = self.home.world.read(repository).await;
            (found["spec"]["source"]["kustomize"]["images"] == json!([image])).then_some(())
        })
        .await;
    }

    /// The status of an ImageUpdater.
    pub(crate) async fn status(&self, repository: &str) -> Value {
        let object = self.home.world.updaters().get(repository).await.unwrap();
        object.data["status"].clone()
    }

    /// What a condition of an ImageUpdater says: its status and its message.
    pub(crate) async fn condition(&self, repository: &str, kind: &str) -> (String, String) {
        let status = self.status(repository).await;
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions
            .iter()
            .find(|condition| condition["type"] == kind);
        let text = |field: &str| {
            let value = found.and_then(|condition| condition[field].as_str());
            value.unwrap_or_default().to_owned()
        };
        (text("status"), text("message"))
    }
}
