//! What is known of the cluster.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use kube::Resource;
use kube::runtime::watcher::Event;
use tokio::sync::watch;

use crate::adapters::kubernetes::entry::Entry;
use crate::adapters::kubernetes::set::Condition;
use crate::adapters::kubernetes::set::Set;
use crate::adapters::kubernetes::slim_object::Kind;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::version::Version;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::resource::ResourceId;

/// All objects of all watches.
#[derive(Debug)]
pub(super) struct Store {
    known: Mutex<Known>,
    /// Whether it is up to date. Whoever subscribes also hears when anything in it changes.
    state: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    updaters: Vec<Set<ImageUpdater>>,
    applications: Vec<Set<Application>>,
    /// As it was when it was last asked for.
    resources: Arc<Resources>,
    /// Whether anything changed since.
    is_changed: bool,
}

/// A kind of which there are sets.
pub(super) trait Stored: Kind {
    fn sets(known: &Known) -> &Vec<Set<Self>>;
    fn sets_mut(known: &mut Known) -> &mut Vec<Set<Self>>;
}

impl Stored for Application {
    fn sets(known: &Known) -> &Vec<Set<Self>> {
        &known.applications
    }

    fn sets_mut(known: &mut Known) -> &mut Vec<Set<Self>> {
        &mut known.applications
    }
}

impl Stored for ImageUpdater {
    fn sets(known: &Known) -> &Vec<Set<Self>> {
        &known.updaters
    }

    fn sets_mut(known: &mut Known) -> &mut Vec<Set<Self>> {
        &mut known.updaters
    }
}

/// An object, and what tells it from others of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownObject<T> {
    /// The object.
    pub object: Arc<T>,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
}

impl Store {
    /// A store that knows nothing, and is behind until it is told what to watch and has heard of all of it.
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::default(),
            state: watch::Sender::new(false),
        }
    }

    /// Makes room for the objects of each of these namespaces; `None`: all of them.
    pub(super) fn open(&self, namespaces: &[Option<String>]) {
        self.update(|known| {
            known.updaters = namespaces.iter().cloned().map(Set::new).collect();
            known.applications = namespaces.iter().cloned().map(Set::new).collect();
            true
        });
    }

    /// All that is known now.
    pub(super) fn resources(&self) -> Arc<Resources> {
        let mut known = self.lock();
        if known.is_changed {
            known.resources = Arc::new(Resources {
                updaters: objects(&known.updaters),
                applications: objects(&known.applications),
            });
            known.is_changed = false;
        }
        Arc::clone(&known.resources)
    }

    pub(super) fn is_current(&self) -> bool {
        *self.state.borrow()
    }

    /// Hears of every change, and of every turn of [`is_current`](Self::is_current).
    pub(super) fn subscribe(&self) -> watch::Receiver<bool> {
        self.state.subscribe()
    }

    pub(super) fn get<T: Stored>(&self, id: &ResourceId) -> Option<KnownObject<T>> {
        let known = self.lock();
        let mut sets = T::sets(&known).iter();
        let entry = sets.find_map(|set| set.get(id))?;
        Some(KnownObject {
            object: Arc::clone(entry.object.as_ref()?),
            uid: entry.uid.to_string(),
            resource_version: entry.version.to_string(),
        })
    }

    /// The ImageUpdaters whose deletion waits for our finalizer, and the finalizer's place in each.
    pub(super) fn held_updaters(&self) -> Vec<(ResourceId, usize)> {
        let known = self.lock();
        let entries = known.updaters.iter().flat_map(Set::entries);
        entries
            .filter_map(|(id, entry)| Some((id.clone(), entry.held?)))
            .collect()
    }

    /// Takes up what the API server answered to a write.
    pub(super) fn put<T: Stored>(&self, object: &SlimObject<T>) {
        let (id, entry) = (object.id(), Entry::of(object));
        self.update(|known| {
            let mut sets = T::sets_mut(known).iter_mut();
            let set = sets.find(|set| set.covers(&id.namespace));
            set.is_some_and(|set| set.put(id, entry))
        });
    }

    /// Takes up what the watch of a namespace, or of all, tells.
    pub(super) fn take<T: Stored>(&self, namespace: Option<&str>, event: Event<SlimObject<T>>) {
        match event {
            Event::Init => self.update_set::<T>(namespace, |set| {
                set.begin();
                false
            }),
            Event::InitApply(object) => {
                let (id, entry) = (object.id(), Entry::of(&object));
                self.update_set::<T>(namespace, |set| {
                    set.list(id, entry);
                    false
                });
            }
            Event::InitDone => self.update_set::<T>(namespace, Set::finish),
            Event::Apply(object) => {
                let (id, entry) = (object.id(), Entry::of(&object));
                self.update_set::<T>(namespace, |set| set.apply(id, entry));
            }
            Event::Delete(object) => {
                let version = object.meta().resource_version.as_deref();
                let version = Version::parse(version.unwrap_or_default());
                self.update_set::<T>(namespace, |set| set.delete(&object.id(), &version));
            }
        }
    }

    /// The watch of a namespace, or of all, was lost.
    pub(super) fn lose<T: Stored>(&self, namespace: Option<&str>) {
        self.update_set::<T>(namespace, |set| {
            if set.condition == Condition::Current {
                set.condition = Condition::Behind;
            }
            false
        });
    }

    /// The watch of a namespace, or of all, is not allowed.
    pub(super) fn refuse<T: Stored>(&self, namespace: Option<&str>) {
        self.update_set::<T>(namespace, Set::refuse);
    }

    fn update_set<T: Stored>(
        &self,
        namespace: Option<&str>,
        work: impl FnOnce(&mut Set<T>) -> bool,
    ) {
        self.update(|known| {
            let mut sets = T::sets_mut(known).iter_mut();
            let set = sets.find(|set| set.namespace.as_deref() == namespace);
            set.is_some_and(work)
        });
    }

    /// Works on what is known, which says whether it is anything else then, and tells of it.
    fn update(&self, work: impl FnOnce(&mut Known) -> bool) {
        let mut known = self.lock();
        let is_changed = work(&mut known);
        known.is_changed |= is_changed;
        let is_current = is_current(&known.updaters) && is_current(&known.applications);
        self.state.send_if_modified(|state| {
            let turned = std::mem::replace(state, is_current) != is_current;
            turned || is_changed
        });
    }

    /// Nothing in here panics while it holds the lock half-way through a change.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn objects<T: Kind>(sets: &[Set<T>]) -> Vec<Arc<T>> {
    sets.iter().flat_map(Set::objects).cloned().collect()
}

/// Whether all that may be known is. A namespace that is refused holds up no other, but where all are refused nothing is known.
fn is_current<T>(sets: &[Set<T>]) -> bool {
    let is = |wanted| move |set: &Set<T>| set.condition == wanted;
    sets.iter().any(is(Condition::Current)) && !sets.iter().any(is(Condition::Behind))
}

#[cfg(test)]
mod tests;
