//! The Lease: who leads of several replicas.

use std::sync::Arc;

use image_updater::adapters::kubernetes::lease::ClusterLease;
use image_updater::adapters::kubernetes::lease::NAME;
use image_updater::app::leadership::Leadership;
use image_updater::ports::lease_store::LeaseAct;
use image_updater::ports::lease_store::LeaseError;
use image_updater::ports::lease_store::LeaseStore;
use image_updater::ports::lease_store::LeaseWrite;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::World;

impl World {
    fn lease(&self) -> ClusterLease {
        ClusterLease::new(self.client.clone(), &self.namespace, NAME)
    }

    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

struct Replica {
    leading: watch::Receiver<bool>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn start(world: &World, identity: &str) -> Replica {
    let leadership = Leadership::new(Arc::new(world.lease()), identity.to_owned());
    let leading = leadership.leading();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(leadership.run(async {
        let _ = stopped.await;
    }));
    Replica {
        leading,
        stop,
        task,
    }
}

#[tokio::test]
async fn two_replicas_have_one_leader_and_the_lease_is_given_back() {
    let Some((_, world)) = World::new().await else {
        return;
    };
    let mut first = start(&world, "first");
    first.leading.wait_for(|leads| *leads).await.unwrap();
    let mut second = start(&world, "second");
    let spec = world.leases().get(NAME).await.unwrap().spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some("first"));
    assert_eq!(spec.lease_duration_seconds, Some(15));
    assert_eq!(spec.lease_transitions, Some(0));
    assert!(spec.acquire_time.is_some() && spec.renew_time.is_some());

    first.stop.send(()).unwrap();
    first.task.await.unwrap();
    second.leading.wait_for(|leads| *leads).await.unwrap();
    let spec = world.leases().get(NAME).await.unwrap().spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some("second"));
    assert_eq!(spec.lease_transitions, Some(1));

    second.stop.send(()).unwrap();
    second.task.await.unwrap();
    let spec = world.leases().get(NAME).await.unwrap().spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some(""));
}

#[tokio::test]
async fn whoever_writes_on_old_knowledge_is_refused() {
    let Some((_, world)) = World::new().await else {
        return;
    };
    let store = world.lease();
    assert_eq!(store.read().await.unwrap(), None);
    let acquire = |holder| LeaseAct::Acquire {
        holder,
        transitions: 0,
    };
    let write = |read, act| store.write(LeaseWrite { read, act });
    let first = write(None, acquire("first")).await.unwrap();
    let late = write(None, acquire("second")).await;
    assert_eq!(late, Err(LeaseError::Lost));
    let renewed = write(Some(&first), LeaseAct::Renew).await.unwrap();
    assert_eq!(renewed.holder, "first");
    assert_ne!(renewed.version, first.version);
    let late = write(Some(&first), acquire("second")).await;
    assert_eq!(late, Err(LeaseError::Lost));
    assert_eq!(store.read().await.unwrap(), Some(renewed));
}

/// What the Go program's library wrote is understood, and what it does not know of is kept.
#[tokio::test]
async fn the_go_programs_lease_is_respected() {
    let Some((_, world)) = World::new().await else {
        return;
    };
    let theirs = json!({
        "metadata": {"name": NAME, "annotations": {"kept": "yes"}},
        "spec": {
            "holderIdentity": "argocd-image-updater-controller-1_0d0c", "leaseDurationSeconds": 15, "leaseTransitions": 7,
            "acquireTime": "2026-11-01T10:00:00.000000Z", "renewTime": "2026-11-01T10:00:02.123456Z",
        },
    });
    let theirs = serde_json::from_value(theirs).unwrap();
    let leases = world.leases();
    leases
        .create(&PostParams::default(), &theirs)
        .await
        .unwrap();
    let store = world.lease();
    let read = store.read().await.unwrap().unwrap();
    assert_eq!(read.holder, "argocd-image-updater-controller-1_0d0c");
    assert_eq!((read.duration.as_secs(), read.transitions), (15, 7));
    let act = LeaseAct::Acquire {
        holder: "ours",
        transitions: 8,
    };
    let read = Some(&read);
    store.write(LeaseWrite { read, act }).await.unwrap();
    let kept = leases.get(NAME).await.unwrap().metadata.annotations;
    assert_eq!(kept.unwrap()["kept"], "yes");
}

#[tokio::test]
async fn what_is_forbidden_names_verb_and_lease() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let token = world.token("nobody").await;
    let client = server.client(&token, &world.namespace).await;
    let store = ClusterLease::new(client, &world.namespace, NAME);
    let error = store.read().await.unwrap_err();
    let expected = format!("get of Lease {}/{NAME} is forbidden", world.namespace);
    assert!(error.to_string().starts_with(&expected), "{error}");
}
