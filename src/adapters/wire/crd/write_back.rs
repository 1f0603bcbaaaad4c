//! Where new versions are written to.

use kube::KubeSchema;
use serde::Deserialize;
use serde::Serialize;

/// Where new versions are written to.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteBackConfig {
    /// `argocd` (if nothing is said): into the Application. `git`: into its repository, with Argo CD's credentials; `git:repocreds` says the
    /// same, `git:secret:namespace/name` names a Secret with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^(argocd|git|git:[a-zA-Z0-9][a-zA-Z0-9-._/:]*)$"))]
    pub method: Option<String>,
    /// The details of the method `git`. A field that is set in a rule replaces that of the spec; the others are taken from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_config: Option<GitConfig>,
}

/// Where in git.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitConfig {
    /// The repository's URL. Without it, that of the Application's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The branch to write to, or `base:template` to start from `base` and write to a branch whose name is made by the template. Without it,
    /// the revision that the Application follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The file to write: `kustomization`, `kustomization:path`, `helmvalues:path` or a path. Without it, a file of Argo CD's own beside the
    /// manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_back_target: Option<String>,
    /// Opens a pull request instead of writing to the branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
}

/// A pull request at exactly one of the two hosts.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.github) ? 1 : 0) + (has(self.gitlab) ? 1 : 0) == 1")
    .message("Exactly one of github or gitlab must be set"))]
pub struct PullRequest {
    /// At GitHub. Write `{}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<Host>,
    /// At GitLab. Write `{}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<Host>,
    /// Labels that the pull request is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub labels: Option<Vec<String>>,
}

/// A host of repositories. There is nothing to say about it: its address is that of the repository.
#[derive(KubeSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {}
