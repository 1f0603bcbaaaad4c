//! The object and its `spec`.

use kube::CustomResource;
use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

use super::application_ref::ApplicationRef;
use super::images_verification::ImagesVerification;
use super::status::ImageUpdaterStatus;
use super::update_settings::CommonUpdateSettings;
use super::write_back::WriteBackConfig;

/// Which Applications are updated, and how.
#[derive(CustomResource, KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "argocd-image-updater.argoproj.io",
    version = "v1alpha1",
    kind = "ImageUpdater",
    plural = "imageupdaters",
    namespaced,
    status = "ImageUpdaterStatus",
    doc = "Tracks images of Argo CD Applications in its own namespace, and has them run new versions.",
    printcolumn = r#"{"name": "Apps", "type": "integer", "jsonPath": ".status.applicationsMatched"}"#,
    printcolumn = r#"{"name": "Images", "type": "integer", "jsonPath": ".status.imagesManaged"}"#,
    printcolumn = r#"{"name": "Last Checked", "type": "date", "jsonPath": ".status.lastCheckedAt"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#
)]
pub struct ImageUpdaterSpec {
    /// The Applications, by rules. Where several rules match an Application, the most specific one counts.
    #[schemars(length(min = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["namePattern".into()]))]
    pub application_refs: Vec<ApplicationRef>,
    /// How new versions are chosen, unless a rule or an image says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_update_settings: Option<CommonUpdateSettings>,
    /// Where new versions are written to, unless a rule says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_back_config: Option<WriteBackConfig>,
    /// Which signatures images need, unless a rule or an image says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_verification: Option<ImagesVerification>,
}
