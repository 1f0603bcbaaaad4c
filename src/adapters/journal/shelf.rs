//! What waits, in memory: what is on disk already and may be worked on.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::Notify;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::lines::Lines;
use crate::ports::event_queue::Load;

/// The lines, and a bell for whoever works.
#[derive(Default)]
pub(super) struct Shelf {
    lines: Mutex<Lines>,
    arrived: Notify,
}

impl Shelf {
    /// Lets events wait, and gives back what each took the place of.
    pub(super) fn place(
        &self,
        entries: Vec<QueuedEvent>,
        key: Option<&SenderKey>,
    ) -> Vec<Option<QueuedEvent>> {
        let replaced = {
            let mut lines = self.lines();
            let placed = entries.into_iter().map(|queued| lines.place(queued, key));
            placed.collect()
        };
        self.arrived.notify_one();
        replaced
    }

    pub(super) async fn next(&self) -> Batch {
        loop {
            let batch = self.lines().take();
            match batch {
                Some(batch) => return batch,
                None => self.arrived.notified().await,
            }
        }
    }

    pub(super) fn end(&self, batch: &Batch) {
        self.lines().end(batch);
    }

    pub(super) fn same_as(&self, key: Option<&SenderKey>) -> Option<DeliveryId> {
        self.lines().same_as(key?).cloned()
    }

    pub(super) fn is_open(&self, delivery: &DeliveryId) -> bool {
        self.lines().is_open(delivery)
    }

    pub(super) fn is_full_for(&self, accepted: &Accepted, capacity: usize, coming: usize) -> bool {
        self.lines().is_full_for(accepted, capacity, coming)
    }

    pub(super) fn load(&self) -> Load {
        let lines = self.lines();
        Load {
            open: lines.open(),
            oldest: lines.oldest(),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
