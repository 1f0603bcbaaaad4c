//! The status of ImageUpdaters, through the status subresource.

use std::sync::Arc;

use async_trait::async_trait;
use kube::Api;
use kube::api::Patch;
use kube::api::PatchParams;

use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::resources::ClusterResources;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::tell_error::Write;
use crate::adapters::wire::image_updater_status::merge_patch;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::resource::ResourceId;
use crate::ports::status_writer::StatusWriter;
use crate::ports::tell_error::TellError;

const WRITE: Write = Write {
    verb: "patch",
    resource: "imageupdaters/status.argocd-image-updater.argoproj.io",
};

/// Writes statuses into a cluster, by one merge patch each, and has what the API server answers known there.
pub struct ClusterStatusWriter {
    resources: Arc<ClusterResources>,
}

impl ClusterStatusWriter {
    /// Writes into the cluster of these.
    #[must_use]
    pub fn new(resources: Arc<ClusterResources>) -> Self {
        Self { resources }
    }
}

#[async_trait]
impl StatusWriter for ClusterStatusWriter {
    async fn write(
        &self,
        updater: &ResourceId,
        before: &ImageUpdaterStatus,
        after: &ImageUpdaterStatus,
    ) -> Result<(), TellError> {
        let namespace = &updater.namespace;
        let client = self.resources.client().clone();
        let api: Api<SlimObject<ImageUpdater>> = Api::namespaced(client, namespace);
        let patch = serde_json::json!({"status": merge_patch(before, after)});
        let (how, patch) = (PatchParams::default(), Patch::Merge(patch));
        let written = call(api.patch_status(&updater.name, &how, &patch)).await;
        let written = written.map_err(|error| WRITE.error(namespace, &error))?;
        self.resources.put_updater(&written);
        Ok(())
    }
}
