//! The custom resources that tests use.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::ApiServer;

/// Where the published CRDs of Argo CD and of the Go program are, `application-crd.yaml` and `imageupdater-crd.yaml`: tests run on those where
/// it is set, else on our ImageUpdater and on an Application with any fields.
const PUBLISHED: &str = "IMAGE_UPDATER_TEST_CRDS";

/// The files of both.
fn files() -> [PathBuf; 2] {
    if let Some(folder) = env::var_os(PUBLISHED).map(PathBuf::from) {
        return ["application-crd.yaml", "imageupdater-crd.yaml"].map(|name| folder.join(name));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [
        root.join("tests/kubernetes/application-crd.yaml"),
        root.join("config/crd/argocd-image-updater.argoproj.io_imageupdaters.yaml"),
    ]
}

/// Makes an API server know them.
pub(super) fn install(server: &ApiServer) {
    for file in files() {
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()));
        // The published CRD of Application is too large for the annotation of a client-side apply.
        let apply = ["apply", "--server-side", "-f", "-"];
        server.kubectl(&apply, &text).unwrap();
    }
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd/applications.argoproj.io",
        "crd/imageupdaters.argocd-image-updater.argoproj.io",
    ];
    server.kubectl(&established, "").unwrap();
}
