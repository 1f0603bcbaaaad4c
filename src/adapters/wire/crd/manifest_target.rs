//! Where an Application's source has an image.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

/// Where the Application's source has the image: exactly one of the three.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.helm) ? 1 : 0) + (has(self.kustomize) ? 1 : 0) + (has(self.plugin) ? 1 : 0) == 1")
    .message("Exactly one of helm, kustomize, or plugin must be specified within manifestTargets if the block is present."))]
pub struct ManifestTarget {
    /// Helm values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<HelmTarget>,
    /// An image of a kustomization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<KustomizeTarget>,
    /// Environment variables of a config management plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginTarget>,
}

/// Helm values, by their paths with dots between the keys.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmTarget {
    /// The value that holds the image's name: `image.name` if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value that holds the tag: `image.tag` if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The value that holds name and tag in one. With it, `name` and `tag` mean nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
}

/// An image of a kustomization.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KustomizeTarget {
    /// The image's name as the manifests have it, which the kustomization replaces.
    pub name: String,
}

/// Environment variables of a config management plugin, by their names.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.spec) || has(self.name)")
    .message("At least one of spec or name must be specified in plugin target."))]
pub struct PluginTarget {
    /// The variable that holds the image's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// The variable that holds the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub tag: Option<String>,
    /// The variable that holds name and tag in one. With it, `name` and `tag` mean nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub spec: Option<String>,
}
