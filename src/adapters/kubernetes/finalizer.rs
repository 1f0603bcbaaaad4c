//! The finalizer that the Go program puts on every ImageUpdater. Ours puts on none; but one that is being deleted would stay for ever if nobody
//! took off what the Go program has left there.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::json;
use tokio::time::sleep;
use tracing::info;
use tracing::warn;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::resources::ClusterResources;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::resource::ResourceId;

/// The Go program's finalizer.
pub(super) const FINALIZER: &str = "resources-finalizer.argocd-image-updater.argoproj.io";

/// When it is looked at again where nothing changes meanwhile.
const RETRY: Duration = Duration::from_secs(30);

/// Takes the finalizer off ImageUpdaters that are being deleted, for as long as this is polled.
pub async fn let_go(resources: Arc<ClusterResources>) {
    let mut changes = resources.changes();
    let mut failed = HashSet::new();
    loop {
        let mut left = HashSet::new();
        for (id, place) in resources.held_updaters() {
            match take_off(&resources, &id, place).await {
                Ok(()) => {
                    info!(updater = %id, "took the Go program's finalizer off: it is being deleted");
                }
                Err(CallError::Api(kube::Error::Api(status))) if status.is_not_found() => {}
                Err(error) => {
                    if !failed.contains(&id) {
                        warn!(updater = %id, %error, "failed to take the Go program's finalizer off, so it stays although it is being deleted; trying again");
                    }
                    left.insert(id);
                }
            }
        }
        failed = left;
        tokio::select! {
            // Fails only where there is no sender, and `resources` holds one.
            _ = changes.changed() => {}
            () = sleep(RETRY) => {}
        }
    }
}

/// Whoever changed the list meanwhile is told by the watch, and then it is looked at again.
async fn take_off(
    resources: &ClusterResources,
    id: &ResourceId,
    place: usize,
) -> Result<(), CallError> {
    let client = resources.client().clone();
    let api: Api<SlimObject<ImageUpdater>> = Api::namespaced(client, &id.namespace);
    let path = format!("/metadata/finalizers/{place}");
    let patch = json!([
        {"op": "test", "path": path, "value": FINALIZER},
        {"op": "remove", "path": path},
    ]);
    // It is a list of operations, so it is read as one.
    let patch = serde_json::from_value(patch)
        .map_err(|error| CallError::Api(kube::Error::SerdeError(error)))?;
    let (how, patch) = (PatchParams::default(), Patch::Json::<()>(patch));
    let written = call(api.patch(&id.name, &how, &patch)).await?;
    resources.put_updater(&written);
    Ok(())
}
