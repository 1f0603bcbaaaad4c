//! What is installed: everything in `config/` is taken by a real API server, and what is generated is up to date.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::adapters::wire::findings::Findings;
use image_updater::adapters::wire::image_updater as reader;
use serde_json::Value;
use serde_json::json;

use crate::manifests::apply;
use crate::manifests::kustomize;
use crate::manifests::path;
use crate::support::ApiServer;
use crate::support::World;
use crate::support::custom_resources;

/// The folders that are applied with `kubectl apply -k`.
const KUSTOMIZATIONS: [&str; 12] = [
    "config/rbac/secrets",
    "config/rbac/pull-secrets",
    "config/crd",
    "config/rbac",
    "config/rbac/manager",
    "config/rbac/watched-namespace",
    "config/rbac/cluster-wide",
    "config/manager",
    "config/network-policy",
    "config/networking",
    "config/grafana",
    "config/examples/imageupdaters",
];

/// The folder that needs the custom resources of the Prometheus operator.
const MONITORING: &str = "config/prometheus";

/// The files that are applied as they are.
const FILES: [&str; 4] = [
    "config/install.yaml",
    "config/manager/config-map.yaml",
    "config/manager/secret.yaml",
    "config/manager/tls-secret.yaml",
];

/// The first lines of `config/install.yaml`.
const HEADER: &str = "\
# Everything that config/default names. It is made from that by
#   UPDATE_DOCS=1 cargo test --test kubernetes install
# and installed by
#   kubectl apply -n argocd -f config/install.yaml
";

/// Looks whether objects could be applied.
fn look(server: &ApiServer, world: &World, what: &str, yaml: &str) {
    let arguments = [
        "apply",
        "-n",
        &world.namespace,
        "-f",
        "-",
        "--validate=strict",
    ];
    let looked = server.kubectl(&[&arguments[..], &["--dry-run=server"]].concat(), yaml);
    assert!(looked.is_ok(), "{what}: {looked:?}");
}

#[tokio::test]
async fn what_is_installed_is_up_to_date() {
    let Some((server, _)) = World::new().await else {
        return;
    };
    let expected = HEADER.to_owned() + &kustomize(server, "config/default");
    let file = path("config/install.yaml");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == expected,
        "config/install.yaml is out of date; run UPDATE_DOCS=1 cargo test --test kubernetes install"
    );
}

#[tokio::test]
async fn the_api_server_takes_everything() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    for folder in KUSTOMIZATIONS {
        look(server, &world, folder, &kustomize(server, folder));
    }
    custom_resources::install_monitoring(server);
    look(server, &world, MONITORING, &kustomize(server, MONITORING));
    for file in FILES {
        let text = fs::read_to_string(path(file)).unwrap();
        look(server, &world, file, &text);
    }
}

/// Where another file is added, it is tested too.
#[test]
fn no_manifest_is_forgotten() {
    let mut files = Vec::new();
    collect(&path("config"), &mut files);
    assert!(files.len() > 20);
    for file in files {
        let folder = file.parent().unwrap();
        let kustomization =
            fs::read_to_string(folder.join("kustomization.yaml")).unwrap_or_default();
        let name = file.file_name().unwrap().to_str().unwrap();
        let named = kustomization.contains(&format!("\n  - {name}\n"));
        let mut folders = KUSTOMIZATIONS.iter().chain([&MONITORING]);
        let tested = folders.any(|tested| path(tested) == folder);
        let alone = FILES.iter().any(|alone| path(alone) == file);
        assert!((named && tested) || alone, "{}", file.display());
    }
}

/// The YAML files that hold objects of Kubernetes; those of the chart are templates.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("charts") {
            collect(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
            && !path.ends_with("kustomization.yaml")
        {
            into.push(path);
        }
    }
}

#[test]
fn the_examples_are_read_without_a_word() {
    let mut files = Vec::new();
    collect(&path("config/examples/imageupdaters"), &mut files);
    assert!(files.len() > 4);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let object: Value = serde_saphyr::from_str(&text).unwrap();
        let (_, findings) = reader::read(&object, "argocd");
        assert_eq!(findings, Findings::default(), "{}", file.display());
    }
}

/// The Go program's Deployment, as far as it decides whether another one can be applied over it.
fn theirs() -> &'static str {
    r"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-image-updater-controller
spec:
  replicas: 1
  selector:
    matchLabels: {control-plane: argocd-image-updater-controller}
  template:
    metadata:
      labels: {app.kubernetes.io/name: argocd-image-updater, control-plane: argocd-image-updater-controller}
    spec:
      serviceAccountName: argocd-image-updater-controller
      containers:
        - name: argocd-image-updater-controller
          image: quay.io/argoprojlabs/argocd-image-updater:v1.0.1
          command: [/manager]
          args: [--metrics-bind-address=:8443, run]
          env:
            - name: WEBHOOK_PORT
              valueFrom: {configMapKeyRef: {key: webhook.port, name: argocd-image-updater-config, optional: true}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: argocd-image-updater-manager-rolebinding
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: argocd-image-updater-manager-role}
subjects: [{kind: ServiceAccount, name: argocd-image-updater-controller}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-image-updater-config
data: {webhook.enable: 'true'}
"
}

#[tokio::test]
async fn applied_over_the_go_program_it_takes_its_place() {
    // The definition is replaced, which would disturb the other tests' watches.
    let Some(server) = ApiServer::own() else {
        return;
    };
    let world = World::on(&server).await;
    apply(&server, &world, "theirs", theirs());
    let install = fs::read_to_string(path("config/install.yaml")).unwrap();
    apply(&server, &world, "ours", &install);
    let get = |kind: &str, name: &str| {
        let arguments = ["get", kind, name, "-n", &world.namespace, "-o", "json"];
        let found = server.kubectl(&arguments, "").unwrap();
        serde_json::from_str::<Value>(&found).unwrap()
    };
    let deployment = get("deployment", "argocd-image-updater-controller");
    let container = &deployment["spec"]["template"]["spec"]["containers"];
    assert_eq!(container.as_array().unwrap().len(), 1);
    assert_eq!(container[0]["command"], Value::Null, "the image's own");
    let own = json!([{"name": "IMAGE_UPDATER_STATE_DIR", "value": "/app/state"}]);
    assert_eq!(container[0]["env"], own, "the ConfigMap is read");
    let settings = get("configmap", "argocd-image-updater-config");
    assert_eq!(settings["data"]["webhook.enable"], "true", "kept");
}

#[test]
fn the_image_of_the_deployment_is_of_this_version() {
    let deployment = fs::read_to_string(path("config/manager/deployment.yaml")).unwrap();
    let image = format!(
        "image: argocd-image-updater:{}\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(deployment.contains(&image));
}
