//! How new versions are chosen.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

/// How new versions are chosen. A field that is set here replaces that of the block further out; the others are taken from there.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommonUpdateSettings {
    /// `semver` (if nothing is said), `newest-build`, `alphabetical` or `digest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<String>,
    /// Updates an image that the Application does not run yet, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_update: Option<bool>,
    /// The tags that may be taken: `regexp:` and a regular expression, or `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_tags: Option<String>,
    /// The tags that are never taken: globs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore_tags: Option<Vec<String>>,
    /// Where the registry's credentials are, such as `pullsecret:argocd/registry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_secret: Option<String>,
    /// The platforms that an image has to have, such as `linux/amd64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub platforms: Option<Vec<String>>,
}
