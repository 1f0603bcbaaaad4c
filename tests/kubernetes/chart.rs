//! The Helm chart: rendered with several values it is taken by a real API server, and it gives what `config/` gives.

use std::env;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::manifests::documents;
use crate::manifests::kustomize;
use crate::manifests::path;
use crate::support::ApiServer;
use crate::support::World;
use crate::support::custom_resources;

fn chart() -> PathBuf {
    path("config/charts/argocd-image-updater")
}

/// The program `helm`, which lies beside the API server; a test without it is left out, except in CI.
fn helm() -> Option<PathBuf> {
    let folder = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let helm = folder.map(|folder| folder.join("helm"));
    if let Some(helm) = helm.filter(|helm| helm.is_file()) {
        return Some(helm);
    }
    assert!(
        env::var_os("CI").is_none(),
        "$KUBEBUILDER_ASSETS/helm is missing; tests/peers/build builds it"
    );
    let line =
        "\n!!! tests of the chart were LEFT OUT: there is no helm; tests/peers/build builds it\n";
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

/// Runs helm on the chart; what it prints, or why it fails.
fn run(helm: &Path, command: &[&str], flags: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(helm)
        .args(command)
        .arg(chart())
        .args(flags)
        .env("HOME", home.path())
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn render(helm: &Path, namespace: &str, flags: &[&str]) -> String {
    let flags = [&["--namespace", namespace][..], flags].concat();
    run(helm, &["template", "updater"], &flags).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let fits = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(fits).unwrap()
}

#[tokio::test]
async fn the_chart_is_taken_with_any_values() {
    let (Some(helm), Some((server, world))) = (helm(), World::new().await) else {
        return;
    };
    let other = World::on(server).await.namespace;
    let own = &world.namespace;
    let both = format!("watchNamespaces={{{own},{other}}}");
    let argocd = format!("argocdNamespace={other}");
    let all = "watchNamespaces={*}";
    custom_resources::install_monitoring(server);
    let watched = "metrics.serviceMonitor.enabled=true,metrics.alerts.enabled=true,metrics.dashboard.enabled=true";
    let sets: [&[&str]; 6] = [
        &[],
        &[
            "--set",
            watched,
            "--set",
            "metrics.alerts.labels.release=prometheus",
        ],
        &["--set", all, "--set", "command=webhook,replicas=2"],
        &["--set", &both, "--set", &argocd],
        &[
            "--set",
            "ingress.enabled=true,ingress.className=nginx,ingress.tlsSecretName=tls,service.type=NodePort",
            "--set-string",
            r"settings.webhook\.enable=true,settings.webhook\.port=9000,secrets.webhook\.ghcr-secret=s",
        ],
        &[
            "--set",
            "networkPolicy.enabled=false,podDisruptionBudget.enabled=false,metrics.enabled=false",
            "--set",
            "imagePullSecrets={a},extraArgs={--loglevel=debug},priorityClassName=system-cluster-critical,nodeSelector.disk=ssd,tolerations[0].operator=Exists",
        ],
    ];
    for flags in sets {
        let rendered = render(&helm, own, flags);
        let apply = ["apply", "-f", "-", "--validate=strict", "--dry-run=server"];
        let looked = server.kubectl(&apply, &rendered);
        assert!(looked.is_ok(), "{flags:?}: {looked:?}");
    }
}

#[test]
fn the_chart_is_free_of_warnings() {
    let Some(helm) = helm() else { return };
    run(&helm, &["lint", "--strict"], &[]).unwrap();
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let Some(helm) = helm() else { return };
    for (flag, value, why) in [
        ("--set", "command=poll", "/command"),
        ("--set", "replicas=-1", "/replicas"),
        ("--set", "replica=2", "replica"),
        ("--set", "watchNamespaces={*,a}", "/watchNamespaces"),
        ("--set", "watchNamespaces={A}", "/watchNamespaces"),
        ("--set", "settings.interval=5", "/settings"),
        ("--set", "image.repository=", "/image/repository"),
        ("--set", "extraArgs={loglevel}", "/extraArgs"),
    ] {
        let refused = run(&helm, &["template", "updater"], &[flag, value]).unwrap_err();
        assert!(refused.contains(why), "{value}: {refused}");
    }
}

/// What is not in the schema could not be set.
#[test]
fn every_value_is_in_the_schema() {
    let values = std::fs::read_to_string(chart().join("values.yaml")).unwrap();
    let schema = std::fs::read_to_string(chart().join("values.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    for key in values.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}

/// By itself the program watches its own namespace, wherever Argo CD is, and with `webhook` it first asks for the whole cluster.
#[test]
fn it_watches_where_its_roles_are() {
    let Some(helm) = helm() else { return };
    for (flags, namespaces, argument) in [
        ("command=run", "own", None),
        ("watchNamespaces={own}", "own", Some("own")),
        ("argocdNamespace=other", "other", Some("other")),
        ("watchNamespaces={a,b}", "a,b", Some("a,b")),
        ("watchNamespaces={*}", "", Some("*")),
        ("command=webhook", "own", Some("own")),
    ] {
        let objects = documents(&render(&helm, "own", &["--set", flags]));
        let is_role = |object: &&Value| {
            object["kind"] == "Role"
                && object["metadata"]["name"] == "argocd-image-updater-manager-role"
        };
        let roles = objects.iter().filter(is_role);
        let with_roles: Vec<_> = roles
            .map(|role| role["metadata"]["namespace"].as_str().unwrap())
            .collect();
        assert_eq!(with_roles.join(","), namespaces, "{flags}");
        let deployment = find(&objects, "Deployment", "argocd-image-updater-controller");
        let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
            .as_array()
            .unwrap();
        let prefix = "--watch-namespaces=";
        let given = args
            .iter()
            .find_map(|arg| arg.as_str().unwrap().strip_prefix(prefix));
        assert_eq!(given, argument, "{flags}");
    }
}

/// Registries' credentials are read there, and in no other namespace, even where all are watched.
#[test]
fn it_reads_secrets_where_its_roles_are() {
    let Some(helm) = helm() else { return };
    for (flags, namespaces) in [
        ("command=run", "own"),
        ("argocdNamespace=other", "own,other"),
        ("watchNamespaces={a,own}", "own,a"),
        ("watchNamespaces={*},pullSecretNamespaces={b}", "own,b"),
    ] {
        let objects = documents(&render(&helm, "own", &["--set", flags]));
        let of_kind = |kind: &str, name: &str| {
            let is_one =
                |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
            let found = objects.iter().filter(is_one);
            let found = found.map(|object| object["metadata"]["namespace"].as_str().unwrap());
            found.collect::<Vec<_>>().join(",")
        };
        let role = "argocd-image-updater-pull-secrets-role";
        assert_eq!(of_kind("Role", role), namespaces, "{flags}");
        let binding = "argocd-image-updater-pull-secrets-rolebinding";
        assert_eq!(of_kind("RoleBinding", binding), namespaces, "{flags}");
    }
}

/// It takes no Lease.
#[test]
fn the_command_webhook_declares_no_more_than_it_does() {
    let Some(helm) = helm() else { return };
    let names = |command: &str| -> Vec<String> {
        let rendered = render(&helm, "argocd", &["--set", command]);
        let objects = documents(&rendered);
        let names = objects.iter().map(|object| &object["metadata"]["name"]);
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let (run, webhook) = (names("command=run"), names("command=webhook"));
    for name in [
        "argocd-image-updater-leader-election-role",
        "argocd-image-updater-leader-election-rolebinding",
    ] {
        assert!(run.iter().any(|known| known == name), "{name}");
        assert!(!webhook.iter().any(|known| known == name), "{name}");
    }
}

#[test]
fn the_chart_gives_what_the_folder_gives() {
    let (Some(helm), Some(server)) = (helm(), ApiServer::shared()) else {
        return;
    };
    let chart = documents(&render(&helm, "argocd", &["--include-crds"]));
    let folder = documents(&kustomize(server, "config/default"));
    for object in &folder {
        let (kind, name) = (
            object["kind"].as_str().unwrap(),
            &object["metadata"]["name"],
        );
        let same = find(&chart, kind, name.as_str().unwrap());
        let parts = match kind {
            "Service" | "NetworkPolicy" | "PodDisruptionBudget" => &["spec"][..],
            "Role" | "ClusterRole" => &["rules"][..],
            "RoleBinding" | "ClusterRoleBinding" => &["roleRef"][..],
            _ => &[][..],
        };
        for part in parts {
            assert_eq!(same[part], object[part], "{kind} {name}");
        }
    }
    assert_eq!(chart.len(), folder.len());
    let deployment = |objects: &[Value]| {
        let mut spec =
            find(objects, "Deployment", "argocd-image-updater-controller")["spec"].clone();
        let container = &mut spec["template"]["spec"]["containers"][0];
        // The pull policy is the API server's default there; flags may stand on either side of the command.
        container["imagePullPolicy"] = Value::Null;
        container["args"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(ToString::to_string);
        spec
    };
    let mut ours = deployment(&folder);
    ours["template"]["spec"]["containers"][0]["imagePullPolicy"] = Value::Null;
    assert_eq!(deployment(&chart), ours);
    let cluster = documents(&render(&helm, "argocd", &["--set", "watchNamespaces={*}"]));
    for object in documents(&kustomize(server, "config/rbac/cluster-wide")) {
        let (kind, name) = (
            object["kind"].as_str().unwrap(),
            &object["metadata"]["name"],
        );
        let same = find(&cluster, kind, name.as_str().unwrap());
        for part in ["rules", "roleRef", "subjects"] {
            assert_eq!(same[part], object[part], "{kind} {name}");
        }
    }
}

#[test]
fn the_chart_watches_as_the_folders_do() {
    let (Some(helm), Some(server)) = (helm(), ApiServer::shared()) else {
        return;
    };
    let switches = "metrics.serviceMonitor.enabled=true,metrics.alerts.enabled=true,metrics.dashboard.enabled=true";
    let chart = documents(&render(&helm, "argocd", &["--set", switches]));
    let folders = ["config/prometheus", "config/grafana"];
    for object in folders
        .map(|folder| documents(&kustomize(server, folder)))
        .concat()
    {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        let same = find(&chart, kind.as_str().unwrap(), name.as_str().unwrap());
        for part in ["spec", "data"] {
            assert_eq!(same[part], object[part], "{kind} {name}");
        }
    }
    let grafana = find(&chart, "ConfigMap", "argocd-image-updater-dashboard");
    assert_eq!(grafana["metadata"]["labels"]["grafana_dashboard"], "1");
    let off = documents(&render(
        &helm,
        "argocd",
        &["--set", switches, "--set", "metrics.enabled=false"],
    ));
    assert!(off.iter().all(|object| object["kind"] != "ServiceMonitor"));
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = std::fs::read_to_string(chart().join("Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nversion: {version}\nappVersion: {version}\n")));
}
