//! What the program needs of memory and time for many Applications. It takes minutes, so it runs on request alone:
//!
//! `KUBEBUILDER_ASSETS=$(tests/peers/build) cargo test --release --test kubernetes memory -- --ignored --nocapture`
//!
//! `APPLICATIONS` says how many; 10000 without it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use kube::api::PostParams;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncBufReadExt;
use tokio::io::BufReader;
use tokio::process::Child;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::process;
use crate::process::Memory;
use crate::support::ApiServer;
use crate::support::World;

/// How many Applications are made at once.
const AT_ONCE: usize = 16;
/// How many Applications an ImageUpdater follows.
const FOLLOWED: usize = 10;
/// The goal: what the program may hold without Applications, in KiB.
const GOAL: u64 = 32 * 1024;
/// The goal: what an Application may add to that, in KiB.
const GOAL_EACH: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes; see the head of the file"]
async fn many_applications_take_little_memory() {
    let count: usize = std::env::var("APPLICATIONS").map_or(10_000, |text| text.parse().unwrap());
    let Some(server) = ApiServer::own() else {
        return;
    };
    let none = measure(&server, &World::on(&server).await.namespace).await;
    println!("no Application: {none}");

    let world = World::on(&server).await;
    fill(&world, count).await;
    let many = measure(&server, &world.namespace).await;
    println!("{count} Applications: {many}");
    let (none, many) = (none.memory.resident, many.memory.resident);
    let applications = u64::try_from(count).unwrap();
    let each = many.saturating_sub(none) * 1024 / applications;
    let size = application(0).to_string().len();
    println!("{each} bytes for each Application of {size} bytes");
    let goal = GOAL + GOAL_EACH * applications;
    assert!(many <= goal, "the goal is {} MiB", goal / 1024);
}

struct Measured {
    /// What it holds when everything was read.
    memory: Memory,
    /// From the start of the process to readiness.
    ready: Duration,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (resident, peak) = (self.memory.resident / 1024, self.memory.peak / 1024);
        write!(
            f,
            "{resident} MiB resident, {peak} MiB at the most, ready after {:?}",
            self.ready
        )
    }
}

/// Starts the program on a namespace and looks at it when it is ready.
async fn measure(server: &ApiServer, namespace: &str) -> Measured {
    let folder = TempDir::new().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    fs::write(&kubeconfig, server.kubeconfig("admin", namespace)).unwrap();
    let began = Instant::now();
    let mut program = start(&kubeconfig, namespace);
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if line.contains("msg=ready") {
            break;
        }
    }
    let ready = began.elapsed();
    // What was read is in the index a moment later.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let memory = process::memory(program.id().unwrap()).unwrap();
    program.kill().await.unwrap();
    Measured { memory, ready }
}

fn start(kubeconfig: &Path, namespace: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_argocd-image-updater"))
        .args(["webhook", "--disable-tls", "--webhook-port", "0"])
        .args(["--webhook-confirm", "event", "--catch-up=false"])
        .args(["--watch-namespaces", namespace])
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn fill(world: &World, count: usize) {
    for updater in 0..count.div_ceil(FOLLOWED) {
        let image = format!("registry.example.com/team/service-{updater}:1.x");
        let spec = json!({"applicationRefs": [{
            "namePattern": format!("service-{updater}-*"),
            "images": [{"alias": "main", "imageName": image}],
        }]});
        world.updater(&format!("updater-{updater}"), spec).await;
    }
    let mut making = JoinSet::new();
    for number in 0..count {
        let all = world.applications();
        let object = serde_json::from_value(application(number)).unwrap();
        making.spawn(async move { all.create(&PostParams::default(), &object).await.unwrap() });
        if making.len() >= AT_ONCE {
            making.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(made) = making.join_next().await {
        made.unwrap();
    }
}

/// An Application as Argo CD leaves it after some months: a dozen resources, and ten syncs.
fn application(number: usize) -> Value {
    let name = format!("service-{}-{number}", number / FOLLOWED);
    let image = format!("registry.example.com/team/service-{}", number / FOLLOWED);
    let revision = format!("{number:040x}");
    let source = json!({
        "repoURL": "https://git.example.com/platform/deployments.git", "targetRevision": "HEAD",
        "path": format!("services/{name}/overlays/production"),
        "helm": {
            "valueFiles": ["values.yaml", "values-production.yaml"],
            "parameters": [
                {"name": "image.name", "value": image}, {"name": "image.tag", "value": "1.4.2", "forceString": true},
            ],
        },
    });
    let resource = |index: usize| {
        json!({
            "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "production", "name": format!("{name}-{index}"),
            "status": "Synced", "health": {"status": "Healthy"},
        })
    };
    let past = |index: usize| {
        json!({
            "id": index, "revision": revision, "deployedAt": "2026-01-01T00:00:00Z", "deployStartedAt": "2026-01-01T00:00:00Z",
            "initiatedBy": {"automated": true}, "source": source,
        })
    };
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/instance": name, "app.kubernetes.io/part-of": "shop", "team": "platform"},
            "annotations": {"notifications.argoproj.io/subscribe.on-sync-failed.slack": "deployments"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "production", "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "production"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
        },
        "status": {
            "sourceType": "Helm", "reconciledAt": "2026-01-01T00:00:00Z",
            "health": {"status": "Healthy"},
            "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": source, "destination": {"namespace": "production"}}},
            "summary": {"images": [
                format!("{image}:1.4.2"), "registry.example.com/platform/sidecar:2.0.1", "docker.io/library/busybox:1.36",
            ]},
            "resources": (0..12).map(resource).collect::<Vec<_>>(),
            "history": (0..10).map(past).collect::<Vec<_>>(),
            "operationState": last_sync(&name, &revision, &source),
        },
    })
}

fn last_sync(name: &str, revision: &str, source: &Value) -> Value {
    let synced = |index: usize| {
        json!({
            "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "production", "name": format!("{name}-{index}"),
            "status": "Synced", "message": format!("deployment.apps/{name}-{index} configured"), "hookPhase": "Running", "syncPhase": "Sync",
        })
    };
    json!({
        "phase": "Succeeded", "message": "successfully synced (all tasks run)",
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:00Z",
        "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": true}, "retry": {"limit": 5}},
        "syncResult": {"revision": revision, "source": source, "resources": (0..12).map(synced).collect::<Vec<_>>()},
    })
}
