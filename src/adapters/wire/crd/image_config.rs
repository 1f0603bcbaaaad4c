//! An image that is tracked.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

use super::images_verification::ImagesVerification;
use super::manifest_target::ManifestTarget;
use super::update_settings::CommonUpdateSettings;

/// An image that is tracked, and how.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    /// A short name of your choice, unique in this list.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9][a-zA-Z0-9-._]*$"))]
    pub alias: String,
    /// The image, with its registry unless that is Docker Hub. What stands in the place of the tag says which versions are wanted:
    /// `ghcr.io/acme/shop:1.x` or, with the strategy `digest`, `ghcr.io/acme/shop:main`.
    pub image_name: String,
    /// How new versions are chosen, for this image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_update_settings: Option<CommonUpdateSettings>,
    /// Where the Application's source has the image. Without it, the places that charts and kustomize use by custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_targets: Option<ManifestTarget>,
    /// Which signatures this image needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_verification: Option<ImagesVerification>,
}
