//! The manifests in `config/`.

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::ApiServer;
use crate::support::World;

/// A file or folder of the repository.
pub(crate) fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a folder is built to.
pub(crate) fn kustomize(server: &ApiServer, folder: &str) -> String {
    let folder = path(folder).display().to_string();
    server.kubectl(&["kustomize", &folder], "").unwrap()
}

/// Every document of a YAML stream.
pub(crate) fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    assert!(!all.is_empty());
    all
}

/// Applies objects in a namespace: they are there afterwards.
pub(crate) fn apply(server: &ApiServer, world: &World, what: &str, yaml: &str) {
    let arguments = [
        "apply",
        "-n",
        &world.namespace,
        "-f",
        "-",
        "--validate=strict",
    ];
    let applied = server.kubectl(&arguments, yaml);
    assert!(applied.is_ok(), "{what}: {applied:?}");
}
