//! What is installed: everything in `config/` is taken by a real API server, and what is generated is up to date.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::adapters::wire::findings::Findings;
use image_updater::adapters::wire::image_updater as reader;
use serde_json::Value;

use crate::support::ApiServer;
use crate::support::World;

/// The folders that are applied with `kubectl apply -k`.
const KUSTOMIZATIONS: [&str; 10] = [
    "config/crd",
    "config/rbac",
    "config/rbac/manager",
    "config/rbac/watched-namespace",
    "config/rbac/cluster-wide",
    "config/manager",
    "config/metrics",
    "config/network-policy",
    "config/networking",
    "config/examples/imageupdaters",
];

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

fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn kustomize(server: &ApiServer, folder: &str) -> String {
    let folder = path(folder).display().to_string();
    server.kubectl(&["kustomize", &folder], "").unwrap()
}

/// Every document of a YAML stream.
fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    assert!(!all.is_empty());
    all
}

/// Applies objects in a namespace: they are there afterwards.
fn apply(server: &ApiServer, world: &World, what: &str, yaml: &str) {
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
        let tested = KUSTOMIZATIONS.iter().any(|tested| path(tested) == folder);
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
    assert_eq!(container[0]["env"], Value::Null, "the ConfigMap is read");
    let settings = get("configmap", "argocd-image-updater-config");
    assert_eq!(settings["data"]["webhook.enable"], "true", "kept");
}

/// What the Go program may do, by the name of the role: verbs on a resource of an API group.
fn allowed(role: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    match role {
        "argocd-image-updater-manager-role" => &[
            ("", "events", "create"),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters",
                "create delete get list patch update watch",
            ),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters/finalizers",
                "update",
            ),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters/status",
                "get patch update",
            ),
            ("argoproj.io", "applications", "get list patch update watch"),
        ],
        "argocd-image-updater" => &[
            ("", "secrets", "get list watch"),
            ("", "configmaps", "get list watch"),
        ],
        "argocd-image-updater-leader-election-role" => &[(
            "coordination.k8s.io",
            "leases",
            "get list watch create update patch delete",
        )],
        "argocd-image-updater-metrics-auth-role" => &[
            ("authentication.k8s.io", "tokenreviews", "create"),
            ("authorization.k8s.io", "subjectaccessreviews", "create"),
        ],
        "argocd-image-updater-metrics-reader" => &[("", "/metrics", "get")],
        other => panic!("{other} is no role of the Go program"),
    }
}

#[tokio::test]
async fn no_role_allows_more_than_the_go_program_has() {
    let Some((server, _)) = World::new().await else {
        return;
    };
    let mut objects = documents(&kustomize(server, "config/default"));
    objects.extend(documents(&kustomize(server, "config/rbac/cluster-wide")));
    let roles = objects.iter().filter(|object| {
        let kind = object["kind"].as_str().unwrap();
        kind == "Role" || kind == "ClusterRole"
    });
    let mut seen = 0;
    for role in roles {
        let name = role["metadata"]["name"].as_str().unwrap();
        for rule in role["rules"].as_array().unwrap() {
            for (group, resource, verb) in grants(rule) {
                seen += 1;
                let fits = |(g, r, verbs): &(&str, &str, &str)| {
                    *g == group && *r == resource && verbs.split(' ').any(|known| known == verb)
                };
                assert!(
                    allowed(name).iter().any(fits),
                    "{name}: {verb} {resource}.{group}"
                );
            }
        }
    }
    assert!(seen > 20);
}

/// The single permissions of a rule.
fn grants(rule: &Value) -> Vec<(String, String, String)> {
    let texts = |key: &str| -> Vec<String> {
        let list = rule[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let groups = texts("apiGroups");
    let mut grants = Vec::new();
    for verb in texts("verbs") {
        for path in texts("nonResourceURLs") {
            grants.push((String::new(), path, verb.clone()));
        }
        for group in &groups {
            for resource in texts("resources") {
                grants.push((group.clone(), resource, verb.clone()));
            }
        }
    }
    grants
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
