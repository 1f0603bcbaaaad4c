//! When events were accepted that are not done.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::ports::backlog_view::BacklogView;
use crate::ports::event_queue::QueuedEvent;

/// An event of a delivery.
type Key = (ImageName, Tag, DeliveryId);

/// Remembers when each event was accepted, until it is done.
pub struct Arrivals {
    capacity: usize,
    open: Mutex<HashMap<Key, Open>>,
}

/// Events that are not done. A delivery may announce a tag twice.
struct Open {
    at: Instant,
    events: usize,
}

impl Arrivals {
    /// Those of a queue in which so many events may wait.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            open: Mutex::default(),
        }
    }

    /// An event was accepted just now.
    pub(in crate::app) fn begin(&self, event: &ImageEvent, delivery: &DeliveryId) {
        let now = Instant::now();
        let mut open = self.open();
        let open = open.entry(key(event, delivery));
        open.or_insert(Open { at: now, events: 0 }).events += 1;
    }

    /// An event is done.
    pub(super) fn end(&self, event: &ImageEvent, delivery: &DeliveryId) {
        if let Entry::Occupied(mut open) = self.open().entry(key(event, delivery)) {
            open.get_mut().events -= 1;
            if open.get().events == 0 {
                open.remove();
            }
        }
    }

    /// How long ago an event was accepted; `None`: it is done, or nobody saw it come.
    #[must_use]
    pub fn age(&self, queued: &QueuedEvent) -> Option<Duration> {
        let open = self.open();
        let open = open.get(&key(&queued.event, &queued.delivery))?;
        Some(open.at.elapsed())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Open>> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BacklogView for Arrivals {
    fn events(&self) -> usize {
        self.open().values().map(|open| open.events).sum()
    }

    fn oldest(&self) -> Option<Duration> {
        let oldest = self.open().values().map(|open| open.at).min()?;
        Some(oldest.elapsed())
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

fn key(event: &ImageEvent, delivery: &DeliveryId) -> Key {
    (event.image.clone(), event.tag.clone(), delivery.clone())
}
