//! The benchmark's own watch, by which both ways of changing an Application are timed.

use std::time::Duration;
use std::time::Instant;

use futures_util::TryStreamExt;
use kube::Api;
use kube::api::ListParams;
use kube::api::WatchEvent;
use kube::api::WatchParams;
use kube::core::ApiResource;
use kube::core::GroupVersionKind;
use kube::core::Object;
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Result;
use crate::support::World;

/// Longer than any change takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An Application, as far as the watch looks at it.
type Seen = Object<Spec, Status>;

#[derive(Debug, Clone, Deserialize)]
struct Spec {
    source: Source,
}

#[derive(Debug, Clone, Deserialize)]
struct Source {
    kustomize: Kustomize,
}

#[derive(Debug, Clone, Deserialize)]
struct Kustomize {
    images: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Status {}

/// An Application as the watch showed it.
struct Sight {
    at: Instant,
    name: String,
    images: Vec<String>,
}

/// A watch of all Applications.
pub(crate) struct Watch {
    sights: UnboundedReceiver<Sight>,
    watching: JoinHandle<Result<()>>,
}

impl Watch {
    /// Begins one, with everything after now.
    pub(crate) async fn of(world: &World) -> Result<Self> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let resource = ApiResource::from_gvk_with_plural(&kind, "applications");
        let all: Api<Seen> =
            Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
        let now = all.list_metadata(&ListParams::default().limit(1)).await?;
        let version = now
            .metadata
            .resource_version
            .ok_or("a list has a version")?;
        let (sender, sights) = unbounded_channel();
        let watching = tokio::spawn(watch(all, version, sender));
        Ok(Self { sights, watching })
    }

    /// When an Application was first seen with an image.
    pub(crate) async fn sees(&mut self, name: &str, image: &str) -> Result<Instant> {
        let seen = timeout(PATIENCE, async {
            while let Some(sight) = self.sights.recv().await {
                if sight.name == name && sight.images.iter().any(|one| one == image) {
                    return Some(sight.at);
                }
            }
            None
        });
        let seen = seen
            .await
            .map_err(|_| format!("{name} was not changed to {image}"))?;
        seen.ok_or_else(|| "the watch has ended".into())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// The server ends a watch after some minutes, and another one goes on.
async fn watch(all: Api<Seen>, mut version: String, sights: UnboundedSender<Sight>) -> Result<()> {
    loop {
        let stream = all.watch(&WatchParams::default(), &version).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.try_next().await? {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    let at = Instant::now();
                    version = object.metadata.resource_version.unwrap_or(version);
                    // Whoever listens no longer aborts this.
                    let _ = sights.send(Sight {
                        at,
                        name: object.metadata.name.unwrap_or_default(),
                        images: object.spec.source.kustomize.images,
                    });
                }
                WatchEvent::Bookmark(mark) => version = mark.metadata.resource_version,
                WatchEvent::Deleted(_) => {}
                WatchEvent::Error(status) => return Err(status.message.into()),
            }
        }
    }
}
