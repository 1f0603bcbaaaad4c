//! The custom resources that tests use.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::ApiServer;

/// A folder with published CRDs, which `tests/peers/crds` fills: Argo CD's `application-crd.yaml` and, where the machine has it, the Go program's
/// `imageupdater-crd.yaml`. Tests run on those where they are, else on an Application with any fields and on our ImageUpdater.
const PUBLISHED: &str = "IMAGE_UPDATER_TEST_CRDS";

/// The files of both.
fn files() -> [PathBuf; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = "config/crd/argocd-image-updater.argoproj.io_imageupdaters.yaml";
    [
        published("application-crd.yaml")
            .unwrap_or_else(|| root.join("tests/kubernetes/application-crd.yaml")),
        published("imageupdater-crd.yaml").unwrap_or_else(|| root.join(ours)),
    ]
}

fn published(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(PUBLISHED)?).join(name);
    path.is_file().then_some(path)
}

/// Makes an API server know the Prometheus operator's: the published ones where they are, else such with any fields.
pub(crate) fn install_monitoring(server: &ApiServer) {
    let any = fs::read_to_string("tests/kubernetes/monitoring-crds.yaml").unwrap();
    let published: Option<Vec<String>> = ["servicemonitors", "prometheusrules"]
        .map(|name| published(&format!("monitoring.coreos.com_{name}.yaml")))
        .into_iter()
        .map(|file| Some(fs::read_to_string(file?).unwrap()))
        .collect();
    let text = published.map_or(any, |files| files.join("\n---\n"));
    let apply = ["apply", "--server-side", "-f", "-"];
    server.kubectl(&apply, &text).unwrap();
    wait(
        server,
        [
            "crd/servicemonitors.monitoring.coreos.com",
            "crd/prometheusrules.monitoring.coreos.com",
        ],
    );
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
    wait(
        server,
        [
            "crd/applications.argoproj.io",
            "crd/imageupdaters.argocd-image-updater.argoproj.io",
        ],
    );
}

fn wait(server: &ApiServer, [one, other]: [&str; 2]) {
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        one,
        other,
    ];
    // It fails, rather than waits, on a definition that is so new that it has no conditions.
    let waited = (0..20).any(|_| server.kubectl(&established, "").is_ok());
    assert!(waited, "the custom resources are not there");
}
