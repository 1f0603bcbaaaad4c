//! A folder of manifests and secrets for one test.

use std::fs;
use std::path::PathBuf;

/// An ImageUpdater and its Applications in a folder that goes away with the value.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with `manifests/` and `secrets/`, in which `ghcr`'s secret is `secret`.
    pub(crate) fn new(secret: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.manifests()).unwrap();
        fs::create_dir(folder.secrets()).unwrap();
        fs::write(folder.secrets().join("webhook.ghcr-secret"), secret).unwrap();
        folder
    }

    /// Where manifests are.
    pub(crate) fn manifests(&self) -> PathBuf {
        self.0.path().join("manifests")
    }

    /// Where secrets are.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.0.path().join("secrets")
    }

    /// The file of an Application.
    pub(crate) fn application(&self, name: &str) -> PathBuf {
        self.manifests().join(format!("{name}.yaml"))
    }

    /// Adds a kustomize Application that runs `image`, and an ImageUpdater that has it follow `policy`, an `imageName` with its constraint.
    pub(crate) fn add(&self, name: &str, image: &str, policy: &str, settings: &str) {
        let application = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  source:\n    \
             repoURL: https://example.com/deploy.git\n    path: .\n    kustomize:\n      images:\n        # the one that is followed\n        - {image}\n"
        );
        fs::write(self.application(name), application).unwrap();
        let updater = format!(
            "apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nkind: ImageUpdater\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  \
             applicationRefs:\n    - namePattern: {name}\n      images:\n        - alias: main\n          imageName: \"{policy}\"\n          \
             commonUpdateSettings: {{{settings}}}\n"
        );
        fs::write(
            self.manifests().join(format!("{name}-updater.yaml")),
            updater,
        )
        .unwrap();
    }

    /// Flags for a server on this folder.
    pub(crate) fn flags(&self) -> Vec<String> {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        vec![
            "--manifests".to_owned(),
            path(self.manifests()),
            "--secrets-dir".to_owned(),
            path(self.secrets()),
        ]
    }
}
