//! A registry that has what is delivered, and a client that asks it as plainly as can be.

use std::path::Path;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::Result;
use crate::application::Application;
use crate::distribution;

/// The registry, and a file that describes it to the program as the one that the images are named after.
pub(crate) struct Registry {
    process: distribution::Registry,
    client: reqwest::Client,
    folder: TempDir,
}

impl Registry {
    /// `None` where the program is not there.
    pub(crate) fn start() -> Result<Option<Self>> {
        let Some(registry) = distribution::Registry::start(&distribution::Options::default())
        else {
            return Ok(None);
        };
        let folder = TempDir::with_prefix("image-updater-bench-")?;
        let described = format!(
            "registries:\n- name: local\n  prefix: ghcr.io\n  api_url: {}\n",
            registry.url()
        );
        std::fs::write(folder.path().join("registries.conf"), described)?;
        Ok(Some(Self {
            process: registry,
            client: reqwest::Client::builder().no_proxy().build()?,
            folder,
        }))
    }

    /// The file.
    pub(crate) fn file(&self) -> PathBuf {
        Path::new(self.folder.path()).join("registries.conf")
    }

    /// Pushes what an Application is to run.
    pub(crate) async fn push(&self, application: &Application) {
        let pusher = self.process.pusher(application.repository(), "");
        let tag = application.tag();
        pusher
            .image(Some(&tag), "linux/amd64", "2026-01-01T00:00:00Z")
            .await;
    }

    /// One bare HEAD of it.
    pub(crate) async fn head(&self, application: &Application) -> Result<()> {
        let (repository, tag) = (application.repository(), application.tag());
        let url = format!("{}/v2/{repository}/manifests/{tag}", self.process.url());
        let accept = "application/vnd.oci.image.manifest.v1+json";
        let head = self.client.head(url).header("accept", accept);
        head.send().await?.error_for_status()?;
        Ok(())
    }
}
