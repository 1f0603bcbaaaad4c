//! The whole of it: installed from `config/` into a real API server, and run as it runs in a pod.

use std::fs;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use image_updater::adapters::kubernetes::lease;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::DeleteParams;
use kube::api::ListParams;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::deliver::announce;
use crate::deliver::deliver;
use crate::edge::client;
use crate::edge::files::Pair;
use crate::server::Server;
use crate::support::ApiServer;
use crate::support::World;
use crate::support::eventually;

/// Type, the key of its secret, and an image of such a registry.
const SENDERS: [(&str, &str, &str); 8] = [
    ("docker.io", "docker", "docker.io/acme/hub"),
    ("ghcr.io", "ghcr", "ghcr.io/acme/ghcr"),
    ("harbor", "harbor", "harbor.example.com/acme/harbor"),
    ("quay.io", "quay", "quay.io/acme/quay"),
    (
        "aliyun-acr",
        "aliyun-acr",
        "registry.cn-hangzhou.aliyuncs.com/acme/aliyun",
    ),
    ("acr", "acr", "acme.azurecr.io/acme/acr"),
    (
        "distribution",
        "distribution",
        "registry.example.com:5000/acme/distribution",
    ),
    (
        "cloudevents",
        "cloudevents",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/ecr",
    ),
];

/// Runs the rest of its arguments where the account's folder is mounted, as the kubelet does it, and nothing of this machine's `/run` is.
const POD: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && \
                   cp -r \"$0\" /run/secrets/kubernetes.io/serviceaccount && exec \"$@\"";

/// An installation in a namespace of its own.
struct Installation<'a> {
    server: &'a ApiServer,
    world: World,
    /// What the kubelet would mount at `/var/run/secrets/kubernetes.io/serviceaccount`.
    account: TempDir,
}

impl<'a> Installation<'a> {
    async fn new(server: &'a ApiServer) -> Self {
        let world = World::on(server).await;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let install = root.join("config/default").display().to_string();
        let everything = server.kubectl(&["kustomize", &install], "").unwrap();
        apply(server, &world, &everything);
        let token = world.token("argocd-image-updater-controller").await;
        let account = TempDir::new().unwrap();
        let certificate = fs::read(server.certificate()).unwrap();
        fs::write(account.path().join("ca.crt"), certificate).unwrap();
        fs::write(account.path().join("token"), token).unwrap();
        fs::write(account.path().join("namespace"), &world.namespace).unwrap();
        let installation = Self {
            server,
            world,
            account,
        };
        installation.set(
            "ConfigMap",
            "argocd-image-updater-config",
            "data",
            &json!({
                "webhook.enable": "true", "log.level": "debug", "shutdown.delay": "0s",
            }),
        );
        installation.set(
            "Secret",
            "argocd-image-updater-secret",
            "stringData",
            &secrets("first"),
        );
        installation
    }

    fn set(&self, kind: &str, name: &str, field: &str, values: &Value) {
        let object =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: values});
        apply(self.server, &self.world, &object.to_string());
    }

    /// An Application for each type of sender, and one ImageUpdater for them all.
    async fn fill(&self) {
        let mut references = Vec::new();
        for (sender, _, image) in SENDERS {
            let name = application(sender);
            let entry = format!("{image}:1.0.0");
            let spec = json!({"source": {
                "repoURL": "https://git.example.com/shop.git", "path": name, "kustomize": {"images": [entry]},
            }});
            self.world.application(&name, spec).await;
            let status = json!({"sourceType": "Kustomize", "summary": {"images": [entry]}});
            self.world.status(&name, status).await;
            let images = json!([{"alias": "app", "imageName": format!("{image}:^1")}]);
            references.push(json!({"namePattern": name, "images": images}));
        }
        let spec = json!({"applicationRefs": references});
        self.world.updater("all", spec).await;
    }

    /// Runs the program with the Deployment's arguments and variables in what looks to it like a pod. It looks at no registry.
    async fn pod(&self) -> Server {
        self.pod_that_looks("-1s").await
    }

    /// The same that looks at registries at an interval, and reaches none of them.
    async fn pod_that_looks(&self, interval: &str) -> Server {
        let nowhere = SENDERS.map(|(name, _, image)| {
            let (registry, _) = image.split_once('/').unwrap();
            format!("- {{name: {name}, prefix: '{registry}', api_url: 'http://127.0.0.1:1'}}\n")
        });
        let registries = self.account.path().join("registries.conf");
        fs::write(&registries, format!("registries:\n{}", nowhere.concat())).unwrap();
        let deployments: Api<Deployment> = self.all();
        let name = "argocd-image-updater-controller";
        let deployment = deployments.get(name).await.unwrap();
        let template = deployment.spec.unwrap().template.spec.unwrap();
        let container = &template.containers[0];
        let api = self.server.url().trim_start_matches("https://");
        let (host, port) = api.split_once(':').unwrap();
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", POD])
            .arg(self.account.path())
            .arg(env!("CARGO_BIN_EXE_argocd-image-updater"))
            .args(
                container
                    .args
                    .iter()
                    .flatten()
                    .filter(|arg| !arg.starts_with("--metrics")),
            )
            // Pods do not share their ports; tests do.
            .args(["--webhook-port", &free_port().to_string()])
            .args(["--health-probe-bind-address", "127.0.0.1:0"])
            .args(["--metrics-bind-address", "127.0.0.1:0"])
            .arg("--registries-conf-path")
            .arg(registries)
            .env_clear()
            .env("IMAGE_UPDATER_INTERVAL", interval)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBERNETES_SERVICE_HOST", host)
            .env("KUBERNETES_SERVICE_PORT", port);
        for variable in container.env.iter().flatten() {
            let value = match (variable.name.as_str(), &variable.value) {
                // Each pod has a volume of its own.
                ("IMAGE_UPDATER_STATE_DIR", _) => {
                    let volume = tempfile::tempdir_in(self.account.path()).unwrap();
                    volume.keep().to_str().unwrap().to_owned()
                }
                (_, Some(value)) => value.clone(),
                (_, None) => self.world.namespace.clone(),
            };
            command.env(&variable.name, value);
        }
        let server = Server::spawn(command);
        server.log.wait_for(&["msg=ready"]);
        server
    }

    fn all<T>(&self) -> Api<T>
    where
        T: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    /// Waits until an Application runs an image.
    async fn runs(&self, application: &str, image: &str) {
        eventually(image, async || {
            let found = self.world.read(application).await;
            (found["spec"]["source"]["kustomize"]["images"] == json!([image])).then_some(())
        })
        .await;
    }

    /// The Events about an Application for this reason.
    async fn events(&self, application: &str, reason: &str) -> usize {
        let events = self.all::<Event>().list(&ListParams::default()).await;
        let events = events.unwrap().items.into_iter();
        events
            .filter(|event| event.involved_object.name.as_deref() == Some(application))
            .filter(|event| event.reason.as_deref() == Some(reason))
            .count()
    }

    async fn holder(&self) -> String {
        let lease = self.all::<Lease>().get_opt(lease::NAME).await.unwrap();
        let spec = lease.and_then(|lease| lease.spec).unwrap_or_default();
        spec.holder_identity.unwrap_or_default()
    }
}

fn apply(server: &ApiServer, world: &World, yaml: &str) {
    let to = ["apply", "--server-side", "-n", &world.namespace, "-f", "-"];
    server.kubectl(&to, yaml).unwrap();
}

fn application(sender: &str) -> String {
    sender.replace('.', "-")
}

/// A secret for each type, as it is made on this day.
fn secrets(day: &str) -> Value {
    let all = SENDERS
        .iter()
        .map(|(_, key, _)| (format!("webhook.{key}-secret"), json!(secret(key, day))));
    Value::Object(all.collect())
}

fn secret(key: &str, day: &str) -> String {
    format!("{day} secret of {key}")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn deliveries_of_every_type_patch_their_application_alone() {
    let Some(server) = ApiServer::shared() else {
        return;
    };
    let installation = Installation::new(server).await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/imageupdaters");
    let samples = server.kubectl(&["kustomize", &samples.display().to_string()], "");
    apply(server, &installation.world, &samples.unwrap());
    installation.fill().await;
    let mut pod = installation.pod().await;
    what_the_go_program_left_can_be_deleted(&installation).await;
    for (sender, key, image) in SENDERS {
        let pushed = format!("{image}:1.1.0");
        announce(&pod, sender, &pushed, &secret(key, "first")).await;
        installation.runs(&application(sender), &pushed).await;
    }
    for (sender, ..) in SENDERS {
        let name = application(sender);
        eventually("an Event", async || {
            let count = installation.events(&name, "ImagesUpdated").await;
            (count == 1).then_some(())
        })
        .await;
    }
    let updaters = installation.world.updaters();
    eventually("the status", async || {
        let all = updaters.get("all").await.unwrap();
        let status = &all.data["status"];
        let is_told =
            status["applicationsMatched"] == SENDERS.len() && !status["lastUpdatedAt"].is_null();
        is_told.then_some(())
    })
    .await;

    rotate(&installation, &pod).await;
    pod.signal("TERM");
    assert!(pod.wait().success(), "{}", pod.log.text());
    let log = pod.log.text();
    assert!(!log.contains("secret of"), "{log}");
    // Nothing was missing that a Role of `config/` does not give.
    assert!(
        !log.contains("forbidden") && !log.contains("permission"),
        "{log}"
    );
}

async fn what_the_go_program_left_can_be_deleted(installation: &Installation<'_>) {
    let finalizer = "resources-finalizer.argocd-image-updater.argoproj.io";
    let left = json!({
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1", "kind": "ImageUpdater",
        "metadata": {"name": "left", "finalizers": [finalizer]},
        "spec": {"applicationRefs": [{"namePattern": "nothing", "useAnnotations": true}]},
    });
    apply(installation.server, &installation.world, &left.to_string());
    let updaters = installation.world.updaters();
    updaters
        .delete("left", &DeleteParams::default())
        .await
        .unwrap();
    eventually("it is gone", async || {
        let left = updaters.get_opt("left").await.unwrap();
        left.is_none().then_some(())
    })
    .await;
}

/// Another secret counts from the moment that it is there, and so does another certificate.
async fn rotate(installation: &Installation<'_>, pod: &Server) {
    installation.set(
        "Secret",
        "argocd-image-updater-secret",
        "stringData",
        &secrets("second"),
    );
    let (sender, key, image) = SENDERS[1];
    let pushed = format!("{image}:1.2.0");
    eventually("the second secret", async || {
        let answer = deliver(pod, sender, &pushed, &secret(key, "second")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    let old = deliver(pod, sender, &pushed, &secret(key, "first")).await;
    assert_eq!(old.status, 401);
    installation.runs(&application(sender), &pushed).await;
    let pair = Pair::valid();
    installation.set(
        "Secret",
        "argocd-image-updater-tls",
        "stringData",
        &json!({
            "tls.crt": pair.certificate, "tls.key": pair.key,
        }),
    );
    let (host, port) = pod.address();
    let address = format!("{host}:{port}").parse().unwrap();
    client::until_served(address, &pair.der).await;
}

#[tokio::test]
async fn what_is_accepted_while_the_api_server_is_away_is_done_when_it_is_back() {
    let Some(server) = ApiServer::own() else {
        return;
    };
    let installation = Installation::new(&server).await;
    installation.fill().await;
    let pod = installation.pod().await;
    let (sender, key, image) = SENDERS[0];
    let secret = secret(key, "first");
    server.kill();
    pod.log.wait_for(&["level=warning", "watch"]);
    let pushed = format!("{image}:1.1.0");
    announce(&pod, sender, &pushed, &secret).await;
    server.restart();
    installation.runs(&application(sender), &pushed).await;
    let pushed = format!("{image}:1.2.0");
    announce(&pod, sender, &pushed, &secret).await;
    installation.runs(&application(sender), &pushed).await;
}

#[tokio::test]
async fn two_replicas_change_an_application_once_and_one_of_them_leads() {
    let Some(server) = ApiServer::shared() else {
        return;
    };
    let installation = Installation::new(server).await;
    installation.fill().await;
    // Those that never look need no leader.
    let mut first = installation.pod_that_looks("1h").await;
    let mut second = installation.pod_that_looks("1h").await;
    let leader = eventually("a leader", async || {
        Some(installation.holder().await).filter(|holder| !holder.is_empty())
    })
    .await;
    for (sender, key, image) in SENDERS {
        let before = generation(&installation, sender).await;
        let (pushed, secret) = (format!("{image}:1.1.0"), secret(key, "first"));
        tokio::join!(
            announce(&first, sender, &pushed, &secret),
            announce(&second, sender, &pushed, &secret),
        );
        installation.runs(&application(sender), &pushed).await;
        let told = ["outcome=", &application(sender)];
        for replica in [&first, &second] {
            replica.log.wait_for(&told);
        }
        assert_eq!(generation(&installation, sender).await, before + 1);
    }
    // The one that leads gives the Lease back, and the other takes it.
    let leads = |replica: &Server| !replica.log.with(&["leads now"]).is_empty();
    let (leading, following) = if leads(&first) {
        (&mut first, &mut second)
    } else {
        (&mut second, &mut first)
    };
    leading.signal("TERM");
    assert!(leading.wait().success());
    following.log.wait_for(&["leads now"]);
    assert_ne!(installation.holder().await, leader);
    following.signal("TERM");
    assert!(following.wait().success());
    tokio::time::timeout(Duration::from_secs(10), async {
        eventually("the Lease is free", async || {
            installation.holder().await.is_empty().then_some(())
        })
        .await;
    })
    .await
    .unwrap();
}

/// How often the fields of an Application changed.
async fn generation(installation: &Installation<'_>, sender: &str) -> i64 {
    let found = installation.world.read(&application(sender)).await;
    found["metadata"]["generation"].as_i64().unwrap()
}
