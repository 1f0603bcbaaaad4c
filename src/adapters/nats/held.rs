//! What is in work here.

use std::collections::BTreeSet;
use std::collections::HashMap;

use super::names::partition;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;

/// Events that were taken and have not ended, each with its partition. They stay when the partition is lost, until the work ends.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<Name, usize>);

/// The number of an event alone may be another one's, where the stream was made anew.
type Name = (EntryId, DeliveryId);

fn name(queued: &QueuedEvent) -> Name {
    (queued.entry, queued.delivery.clone())
}

impl Held {
    /// A batch is taken.
    pub(super) fn add(&mut self, batch: &Batch) {
        let seat = partition(&batch.image);
        let names = batch.events.iter().map(name);
        self.0.extend(names.map(|name| (name, seat)));
    }

    /// Whether an event is in work.
    pub(super) fn holds(&self, queued: &QueuedEvent) -> bool {
        self.0.contains_key(&name(queued))
    }

    /// The work on a batch, or on a part of it, is over. Gives what was in work of it.
    pub(super) fn remove(&mut self, batch: &Batch) -> Batch {
        let events = batch.events.iter();
        let held = events.filter(|queued| self.0.remove(&name(queued)).is_some());
        Batch {
            image: batch.image.clone(),
            events: held.cloned().collect(),
        }
    }

    /// The partitions in which something is in work.
    pub(super) fn partitions(&self) -> BTreeSet<usize> {
        self.0.values().copied().collect()
    }

    /// Whether nothing is in work.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing is in work any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
