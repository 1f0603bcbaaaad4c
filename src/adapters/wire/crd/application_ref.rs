//! A rule that selects Applications.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

use super::image_config::ImageConfig;
use super::images_verification::ImagesVerification;
use super::label_selector::LabelSelector;
use super::update_settings::CommonUpdateSettings;
use super::write_back::WriteBackConfig;

/// Selects Applications by name and labels, and names their images.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.useAnnotations) && self.useAnnotations == true) ? (has(self.images) && size(self.images) > 0) : true")
    .message("Either useAnnotations must be true, or images must be provided with at least one item"))]
pub struct ApplicationRef {
    /// The Applications' names: a glob such as `shop-*`, with `*`, `?` and `[a-z]`.
    pub name_pattern: String,
    /// The labels that the Applications must have as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = MapMerge::Atomic)]
    pub label_selectors: Option<LabelSelector>,
    /// Takes images and settings from annotations of the Applications instead of from here.
    #[serde(default)]
    pub use_annotations: bool,
    /// The images that are updated. Left alone where `useAnnotations` is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub images: Option<Vec<ImageConfig>>,
    /// How new versions are chosen, for these Applications. Left alone where `useAnnotations` is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_update_settings: Option<CommonUpdateSettings>,
    /// Where new versions are written to, for these Applications. Left alone where `useAnnotations` is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_back_config: Option<WriteBackConfig>,
    /// Which signatures images need, for these Applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_verification: Option<ImagesVerification>,
}
