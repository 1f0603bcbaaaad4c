//! The ports on a directory of manifests.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task;
use tokio::time::MissedTickBehavior;

use crate::adapters::manifests::leftovers;
use crate::adapters::manifests::problem::Problem;
use crate::adapters::manifests::store::Store;
use crate::adapters::manifests::writer;
use crate::domain::change::ApplicationChange;
use crate::domain::resources::Resources;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::update_trigger::TriggerError;
use crate::ports::update_trigger::UpdateTrigger;

/// How often the directory is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Why a directory of manifests cannot be used.
#[derive(Debug, Error)]
pub enum ManifestsError {
    /// There is no such directory.
    #[error("{} is no directory: create it, or name another one", dir.display())]
    NotADirectory {
        /// What was named.
        dir: PathBuf,
    },
    /// It is there and cannot be read.
    #[error("failed to read {}: {source}", dir.display())]
    Unreadable {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// ImageUpdaters and Applications in the YAML files of a directory: read whenever they change, and written by changing nothing but the
/// values that a change names.
#[derive(Debug)]
pub struct Manifests {
    shared: Arc<Shared>,
    /// What [`changed`](ResourceReader::changed) has told.
    told: tokio::sync::Mutex<watch::Receiver<Arc<Resources>>>,
}

#[derive(Debug)]
struct Shared {
    /// One look at the directory, or one change, at a time.
    store: Mutex<Store>,
    current: watch::Sender<Arc<Resources>>,
}

/// Whether there is a directory that can be read.
///
/// # Errors
/// [`ManifestsError`].
pub fn check(dir: &Path) -> Result<(), ManifestsError> {
    let dir = dir.to_owned();
    if !dir.is_dir() {
        return Err(ManifestsError::NotADirectory { dir });
    }
    match std::fs::read_dir(&dir) {
        Ok(_) => Ok(()),
        Err(source) => Err(ManifestsError::Unreadable { dir, source }),
    }
}

impl Manifests {
    /// Reads a directory. Objects without a namespace are taken to be in the default one.
    ///
    /// # Errors
    /// [`ManifestsError`]. What is wrong with single files is logged, and does not stop the others.
    pub fn open(dir: PathBuf, default_namespace: String) -> Result<Self, ManifestsError> {
        check(&dir)?;
        let mut store = Store::new(dir, default_namespace);
        if let Err(source) = store.refresh() {
            let dir = store.dir;
            return Err(ManifestsError::Unreadable { dir, source });
        }
        let resources = store.resources();
        tracing::info!(
            dir = %store.dir.display(),
            updaters = resources.updaters.len(),
            applications = resources.applications.len(),
            "read the manifests"
        );
        let (current, receiver) = watch::channel(Arc::clone(resources));
        let store = Mutex::new(store);
        Ok(Self {
            shared: Arc::new(Shared { store, current }),
            told: tokio::sync::Mutex::new(receiver),
        })
    }

    /// Removes what a process that was killed while it wrote left behind in the directory.
    pub fn remove_leftovers(&self) {
        let now = SystemTime::now();
        let store = self.shared.lock();
        leftovers::remove(store.folders().into_iter(), now);
    }

    /// Looks at the directory once a second and takes up what changed, for as long as this is polled. Looking beats being notified: it
    /// works on network file systems, and for mounted ConfigMaps, whose files are swapped as a whole.
    pub async fn watch(self: Arc<Self>) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.refresh().await;
        }
    }

    /// Looks at the directory now. When this returns, [`current`](ResourceReader::current) holds what was there.
    pub async fn refresh(&self) {
        let shared = Arc::clone(&self.shared);
        // A directory that cannot be read is logged as every other problem.
        let look = task::spawn_blocking(move || shared.with_store(|store| _ = store.refresh()));
        if let Err(error) = look.await {
            tracing::error!(%error, "failed to look at the manifests");
        }
    }

    /// Everything that is wrong in the directory now, as it was logged.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.shared.lock().problems().iter().cloned().collect()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the store and publishes what came of it.
    fn with_store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.lock();
        let result = work(&mut store);
        self.current.send_if_modified(|current| {
            let same = Arc::ptr_eq(current, store.resources());
            current.clone_from(store.resources());
            !same
        });
        result
    }
}

#[async_trait]
impl ResourceReader for Manifests {
    fn current(&self) -> Arc<Resources> {
        Arc::clone(&self.shared.current.borrow())
    }

    fn is_current(&self) -> bool {
        true
    }

    async fn changed(&self) {
        let mut told = self.told.lock().await;
        // It fails only when there is no sender, and this holds one.
        _ = told.changed().await;
    }
}

#[async_trait]
impl UpdateTrigger for Manifests {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        let shared = Arc::clone(&self.shared);
        let owned = changes.to_vec();
        let write = move || shared.with_store(|store| writer::apply(store, &owned));
        match task::spawn_blocking(write).await {
            Ok(results) => results,
            Err(error) => {
                let reason = error.to_string();
                vec![Err(TriggerError::Unavailable { reason }); changes.len()]
            }
        }
    }
}
