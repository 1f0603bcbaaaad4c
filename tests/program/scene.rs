//! A real registry that is counted, and the manifests of Applications that run images of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use crate::counting::Counting;
use crate::folder::Folder;
use crate::registry::Options;
use crate::registry::Registry;
use crate::server::Server;
use crate::server::program;

/// The secret of deliveries.
pub(crate) const SECRET: &str = "a secret of the tests";
/// When images were built of whose age nothing is said.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// A registry and what is read and written for it.
pub(crate) struct Scene {
    pub(crate) registry: Registry,
    pub(crate) proxy: Counting,
    pub(crate) folder: Folder,
}

impl Scene {
    /// One without Applications and images; `None` where there is no registry.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(folder(), &Options::default()).await
    }

    /// The same with a folder of [`folder`] and a registry that runs so.
    pub(crate) async fn with(folder: Folder, options: &Options) -> Option<Self> {
        let registry = Registry::start(options)?;
        let proxy = Counting::before(&registry.authority).await;
        let (authority, api) = (&registry.authority, proxy.url());
        let text =
            format!("registries:\n- {{name: Tests, prefix: '{authority}', api_url: '{api}'}}\n");
        fs::write(description(&folder), text).unwrap();
        Some(Self {
            registry,
            proxy,
            folder,
        })
    }

    /// The full name of an image there, with a tag.
    pub(crate) fn image(&self, repository: &str, tag: &str) -> String {
        format!("{}/{repository}:{tag}", self.registry.authority)
    }

    /// Pushes tags, each of an image of its own.
    pub(crate) async fn push(&self, repository: &str, tags: &[&str]) {
        for tag in tags {
            self.push_built(repository, tag, LONG_AGO).await;
        }
    }

    /// Pushes a tag of an image that was built then.
    pub(crate) async fn push_built(&self, repository: &str, tag: &str, created: &str) {
        let pusher = self.registry.pusher(repository, "");
        pusher.image(Some(tag), "linux/amd64", created).await;
    }

    /// Adds an Application that runs a tag and follows a constraint.
    pub(crate) fn add(&self, repository: &str, runs: &str, constraint: &str, settings: &str) {
        let (image, policy) = (
            self.image(repository, runs),
            self.image(repository, constraint),
        );
        self.folder.add(repository, &image, &policy, settings);
    }

    /// Whether an Application runs a tag.
    pub(crate) fn runs(&self, repository: &str, tag: &str) -> bool {
        let text = fs::read_to_string(self.folder.application(repository)).unwrap();
        text.contains(&format!("- {}\n", self.image(repository, tag)))
    }

    /// Looks once.
    pub(crate) fn once(&self, flags: &[&str]) -> Output {
        let mut command = command(&self.folder, "run");
        command.arg("--once").args(flags).output().unwrap()
    }

    /// Serves `webhook`, which confirms at the registry, and waits until it is ready.
    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        serve(&self.folder, flags)
    }
}

/// A folder for manifests, with the secret of registries that notify.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new(SECRET);
    let secret = folder.secrets().join("webhook.distribution-secret");
    fs::write(secret, SECRET).unwrap();
    folder
}

/// Serves `webhook` on a folder.
pub(crate) fn serve(folder: &Folder, flags: &[&str]) -> Server {
    let mut program = command(folder, "webhook");
    let own = ["--webhook-port=0", "--webhook-confirm=registry"];
    program.args(own).args(flags);
    let server = Server::spawn(program);
    server.log.wait_for(&["msg=ready"]);
    server
}

/// A command of the program.
fn command(folder: &Folder, command: &str) -> Command {
    let mut program = program();
    program
        .args([command, "--loglevel", "debug"])
        .args(folder.flags())
        .arg("--registries-conf-path")
        .arg(description(folder));
    program
}

/// Where registries are described.
fn description(folder: &Folder) -> PathBuf {
    folder.secrets().join("registries.conf")
}
