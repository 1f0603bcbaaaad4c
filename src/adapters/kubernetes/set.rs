//! The objects that one watch tells of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::adapters::kubernetes::entry::Entry;
use crate::adapters::kubernetes::slim_object::Kind;
use crate::adapters::kubernetes::version::Version;
use crate::domain::resources::resource::ResourceId;

/// Whether a set is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It is not known what happened since the watch was lost, or was begun.
    Behind,
    /// Every change is told of when it happens.
    Current,
    /// Nothing may be known of it.
    Refused,
}

/// The objects of one kind in one namespace, or in all.
#[derive(Debug)]
pub(super) struct Set<T> {
    /// The namespace; `None`: all of them.
    pub(super) namespace: Option<String>,
    pub(super) condition: Condition,
    objects: BTreeMap<ResourceId, Entry<T>>,
    listing: Option<Listing<T>>,
}

/// A list that is being read. None of it counts before its end.
#[derive(Debug)]
struct Listing<T> {
    listed: BTreeMap<ResourceId, Entry<T>>,
    /// What was put since it began: it may be newer than the list.
    put: BTreeMap<ResourceId, Entry<T>>,
}

impl<T: Kind> Set<T> {
    pub(super) fn new(namespace: Option<String>) -> Self {
        Self {
            namespace,
            condition: Condition::Behind,
            objects: BTreeMap::new(),
            listing: None,
        }
    }

    /// Whether an object of a namespace would be in it.
    pub(super) fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    pub(super) fn get(&self, id: &ResourceId) -> Option<&Entry<T>> {
        self.objects.get(id)
    }

    /// The objects in which nothing is wrong, by namespace and name.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects
            .values()
            .filter_map(|entry| entry.object.as_ref())
    }

    /// All objects, by namespace and name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&ResourceId, &Entry<T>)> {
        self.objects.iter()
    }

    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.listing = Some(Listing {
            listed: BTreeMap::new(),
            put: BTreeMap::new(),
        });
    }

    /// An object of the list.
    pub(super) fn list(&mut self, id: ResourceId, entry: Entry<T>) {
        if let Some(listing) = &mut self.listing {
            listing.listed.insert(id, entry);
        }
    }

    /// The list has ended: it takes the place of what was known, and only what was put meanwhile can be newer. Says whether anything is another
    /// than before.
    pub(super) fn finish(&mut self) -> bool {
        self.condition = Condition::Current;
        let Some(Listing { listed, mut put }) = self.listing.take() else {
            return false;
        };
        let mut before = std::mem::take(&mut self.objects);
        let mut changed = false;
        let listed = listed.into_iter().map(|(id, mut entry)| {
            if let Some(put) = put.remove(&id)
                && put.version.is_newer_than(&entry.version)
            {
                entry = put;
            }
            changed |= entry.succeed(&id, before.remove(&id));
            (id, entry)
        });
        // A map that is made at once has no half-empty nodes.
        self.objects = listed.collect();
        for (id, gone) in before {
            changed |= gone.end(&id);
        }
        changed
    }

    /// The watch tells of an object. What it tells late does not undo what was put. Says whether anything is another than before.
    pub(super) fn apply(&mut self, id: ResourceId, mut entry: Entry<T>) -> bool {
        let before = self.objects.remove(&id);
        match before {
            Some(before) if before.version.is_newer_than(&entry.version) => {
                self.objects.insert(id, before);
                false
            }
            before => {
                let changed = entry.succeed(&id, before);
                self.objects.insert(id, entry);
                changed
            }
        }
    }

    /// The watch tells that an object is gone.
    pub(super) fn delete(&mut self, id: &ResourceId, version: &Version) -> bool {
        match self.objects.remove(id) {
            Some(known) if known.version.is_newer_than(version) => {
                self.objects.insert(id.clone(), known);
                false
            }
            Some(known) => known.end(id),
            None => false,
        }
    }

    /// The API server answered a write with this. An object that is not known stays so: it may have been deleted since, and a new one is told of
    /// by the watch.
    pub(super) fn put(&mut self, id: ResourceId, entry: Entry<T>) -> bool {
        if let Some(listing) = &mut self.listing {
            listing.put.insert(id.clone(), entry.clone());
        }
        self.objects.contains_key(&id) && self.apply(id, entry)
    }

    /// Nothing of it may be known any longer.
    pub(super) fn refuse(&mut self) -> bool {
        self.condition = Condition::Refused;
        self.listing = None;
        let mut changed = false;
        for (id, gone) in std::mem::take(&mut self.objects) {
            changed |= gone.end(&id);
        }
        changed
    }
}
