//! A queue in memory: fast, bounded, and lost with the process.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::Batch;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::QueueError;
use crate::ports::event_queue::QueuedEvent;

/// When a sender that met a full queue may try again. Long enough for a burst to be worked off, short enough for a person who waits.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The queue. All operations take constant time in the number of entries of other images.
pub struct InMemoryQueue {
    capacity: usize,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// Images that wait, the one that has waited longest first. Each is a key of `waiting`.
    order: VecDeque<ImageName>,
    waiting: HashMap<ImageName, Vec<QueuedEvent>>,
    /// Entries that wait or are in work.
    entries: usize,
}

impl InMemoryQueue {
    /// A queue for so many entries at the most, those in work included.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waits(&self, event: &ImageEvent) -> bool {
        let events = self.waiting.get(&event.image);
        events.is_some_and(|events| events.iter().any(|queued| queued.event.tag == event.tag))
    }

    fn place(&mut self, delivery: &DeliveryId, event: ImageEvent) -> Placement {
        let order = &mut self.order;
        let events = self
            .waiting
            .entry(event.image.clone())
            .or_insert_with_key(|image| {
                order.push_back(image.clone());
                Vec::new()
            });
        let before = events
            .iter()
            .position(|queued| queued.event.tag == event.tag);
        let before = before.map(|index| events.remove(index));
        events.push(QueuedEvent {
            event,
            delivery: delivery.clone(),
        });
        if let Some(before) = before {
            return Placement::Replaced {
                superseded: before.delivery,
            };
        }
        self.entries += 1;
        Placement::Added
    }

    fn take(&mut self) -> Option<Batch> {
        let image = self.order.pop_front()?;
        let events = self.waiting.remove(&image)?;
        Some(Batch { image, events })
    }
}

#[async_trait]
impl EventQueue for InMemoryQueue {
    async fn push(
        &self,
        delivery: &DeliveryId,
        events: Verified<Vec<ImageEvent>>,
    ) -> Result<Vec<Placement>, QueueError> {
        let events = events.into_inner();
        let placements = {
            let mut state = self.state();
            let added = events.iter().filter(|event| !state.waits(event)).count();
            if state.entries + added > self.capacity {
                return Err(QueueError::Full {
                    retry_after: RETRY_AFTER,
                });
            }
            events
                .into_iter()
                .map(|event| state.place(delivery, event))
                .collect()
        };
        self.arrived.notify_one();
        Ok(placements)
    }

    async fn next(&self) -> Batch {
        loop {
            let batch = self.state().take();
            match batch {
                Some(batch) => return batch,
                None => self.arrived.notified().await,
            }
        }
    }

    async fn done(&self, batch: &Batch) {
        let mut state = self.state();
        state.entries = state.entries.saturating_sub(batch.events.len());
    }
}
