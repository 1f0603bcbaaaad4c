//! The ports on a cluster.

use std::sync::Arc;

use async_trait::async_trait;
use kube::Client;
use tokio::sync::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use crate::adapters::kubernetes::client::Cluster;
use crate::adapters::kubernetes::scope::Scope;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::store::Store;
use crate::adapters::kubernetes::watch::Watch;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::resource::ResourceId;
use crate::ports::resource_reader::ResourceReader;

pub use crate::adapters::kubernetes::store::KnownObject;

/// ImageUpdaters and Applications of a cluster, kept up to date by watches.
pub struct ClusterResources {
    cluster: Cluster,
    scope: Scope,
    store: Arc<Store>,
    /// What [`changed`](ResourceReader::changed) has told.
    told: Mutex<watch::Receiver<bool>>,
    /// One set of changes at a time: two that write into one list would only fail each other's tests.
    pub(super) writing: Mutex<()>,
}

impl ClusterResources {
    /// Knows nothing until [`watch`](Self::watch) runs.
    #[must_use]
    pub fn new(cluster: Cluster, scope: Scope) -> Self {
        let store = Arc::new(Store::new());
        let told = Mutex::new(store.subscribe());
        Self {
            cluster,
            scope,
            store,
            told,
            writing: Mutex::default(),
        }
    }

    /// Watches the cluster, for as long as this is polled. It ends only where a part of it fails.
    pub async fn watch(self: Arc<Self>) {
        let client = self.client();
        let namespaces = self.scope.settle(client).await;
        let names: Vec<_> = namespaces.iter().map(|one| one.as_deref()).collect();
        let shown: Vec<_> = names.iter().map(|name| name.unwrap_or("*")).collect();
        info!(
            server = self.cluster.server(),
            namespaces = shown.join(","),
            "watching the cluster"
        );
        self.store.open(&namespaces);
        let mut watches = JoinSet::new();
        for namespace in namespaces {
            let store = || Arc::clone(&self.store);
            watches.spawn(Watch::<ImageUpdater>::new(client, store(), namespace.clone()).run());
            watches.spawn(Watch::<Application>::new(client, store(), namespace).run());
        }
        let _ = watches.join_next().await;
    }

    /// Waits until everything was read for the first time.
    pub async fn synced(&self) {
        // It fails only when there is no sender, and this holds one.
        let _ = self.store.subscribe().wait_for(|current| *current).await;
    }

    /// The client of the cluster.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.cluster.client()
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// An Application in which nothing is wrong, and what tells it from others of its name.
    #[must_use]
    pub fn application(&self, id: &ResourceId) -> Option<KnownObject<Application>> {
        self.store.get(id)
    }

    /// An ImageUpdater in which nothing is wrong, and what tells it from others of its name.
    #[must_use]
    pub fn updater(&self, id: &ResourceId) -> Option<KnownObject<ImageUpdater>> {
        self.store.get(id)
    }

    /// Hears of every change.
    pub(super) fn changes(&self) -> watch::Receiver<bool> {
        self.store.subscribe()
    }

    /// The ImageUpdaters whose deletion waits for our finalizer, and the finalizer's place in each.
    pub(super) fn held_updaters(&self) -> Vec<(ResourceId, usize)> {
        self.store.held_updaters()
    }

    /// Takes up an Application as the API server answered it, unless something newer is known. When this returns,
    /// [`current`](ResourceReader::current) holds it.
    pub fn put_application(&self, object: &SlimObject<Application>) {
        self.store.put(object);
    }

    /// The same for an ImageUpdater.
    pub fn put_updater(&self, object: &SlimObject<ImageUpdater>) {
        self.store.put(object);
    }
}

#[async_trait]
impl ResourceReader for ClusterResources {
    fn current(&self) -> Arc<Resources> {
        self.store.resources()
    }

    fn is_current(&self) -> bool {
        self.store.is_current()
    }

    async fn changed(&self) {
        let mut told = self.told.lock().await;
        // It fails only when there is no sender, and this holds one.
        _ = told.changed().await;
    }
}
