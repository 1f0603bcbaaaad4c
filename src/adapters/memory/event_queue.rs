//! A queue in memory: fast, bounded, and lost with the process.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::Batch;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::QueueError;
use crate::ports::event_queue::QueuedEvent;

/// When a sender that met a full queue may try again. Long enough for a burst to be worked off, short enough for a person who waits.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The queue. An event costs about the same however many wait.
pub struct InMemoryQueue {
    capacity: usize,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// Images of which something waits, the one that has waited longest first. Each is a key of `lines`.
    order: VecDeque<ImageName>,
    /// By image, where something of it waits or is in work.
    lines: HashMap<ImageName, Line>,
    /// Tags that wait or are in work. One that is both counts once: who announces a tag that is in work must not be sent away.
    entries: usize,
    /// How many events have come so far.
    arrivals: u64,
}

/// What there is of one image.
#[derive(Default)]
struct Line {
    /// By tag, with the number of its arrival.
    waiting: HashMap<Tag, (u64, QueuedEvent)>,
    /// How many batches that are not done hold a tag.
    in_work: HashMap<Tag, usize>,
}

impl Line {
    fn holds(&self, tag: &Tag) -> bool {
        self.in_work.contains_key(tag) || self.waiting.contains_key(tag)
    }

    /// Takes all that waits, the latest last.
    fn take(&mut self) -> Vec<QueuedEvent> {
        let mut waiting: Vec<_> = std::mem::take(&mut self.waiting).into_values().collect();
        waiting.sort_unstable_by_key(|(arrival, _)| *arrival);
        let events: Vec<_> = waiting.into_iter().map(|(_, queued)| queued).collect();
        for queued in &events {
            *self.in_work.entry(queued.event.tag.clone()).or_default() += 1;
        }
        events
    }

    /// Ends the work of one batch on a tag. Says whether nothing is left of the tag.
    fn end(&mut self, tag: &Tag) -> bool {
        let Some(batches) = self.in_work.get_mut(tag) else {
            return false;
        };
        *batches -= 1;
        if *batches > 0 {
            return false;
        }
        self.in_work.remove(tag);
        !self.waiting.contains_key(tag)
    }
}

impl InMemoryQueue {
    /// A queue for so many entries, those in work included.
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
    /// Whether there is no room for these. A queue without entries takes any delivery: one that is larger than the bound would never fit.
    fn is_full(&self, events: &[ImageEvent], capacity: usize) -> bool {
        // Which of them are new need not be found out where there is room for all.
        if self.entries == 0 || self.entries + events.len() <= capacity {
            return false;
        }
        let added = events.iter().filter(|event| self.is_new(event)).count();
        added > 0 && self.entries + added > capacity
    }

    fn is_new(&self, event: &ImageEvent) -> bool {
        let line = self.lines.get(&event.image);
        line.is_none_or(|line| !line.holds(&event.tag))
    }

    fn place(&mut self, delivery: &DeliveryId, event: ImageEvent) -> Placement {
        let line = self.lines.entry(event.image.clone()).or_default();
        if line.waiting.is_empty() {
            self.order.push_back(event.image.clone());
        }
        let tag = event.tag.clone();
        let delivery = delivery.clone();
        self.arrivals += 1;
        let queued = (self.arrivals, QueuedEvent { event, delivery });
        match line.waiting.entry(tag) {
            Entry::Occupied(mut waiting) => {
                let (_, before) = waiting.insert(queued);
                Placement::Replaced {
                    superseded: before.delivery,
                }
            }
            Entry::Vacant(free) => {
                if !line.in_work.contains_key(free.key()) {
                    self.entries += 1;
                }
                free.insert(queued);
                Placement::Added
            }
        }
    }

    fn take(&mut self) -> Option<Batch> {
        let image = self.order.pop_front()?;
        let events = self.lines.get_mut(&image)?.take();
        Some(Batch { image, events })
    }

    fn end(&mut self, batch: &Batch) {
        let Entry::Occupied(mut line) = self.lines.entry(batch.image.clone()) else {
            return;
        };
        let tags = batch.events.iter().map(|queued| &queued.event.tag);
        self.entries -= tags.filter(|tag| line.get_mut().end(tag)).count();
        if line.get().in_work.is_empty() && line.get().waiting.is_empty() {
            line.remove();
        }
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
            if state.is_full(&events, self.capacity) {
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
        self.state().end(batch);
    }
}
