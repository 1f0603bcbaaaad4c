//! A queue in memory: fast, bounded, and lost with the process.

use std::collections::BTreeMap;
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
    /// Images that wait, the one that has waited longest first. Each is a key of `waiting`.
    order: VecDeque<ImageName>,
    waiting: HashMap<ImageName, Line>,
    /// How many batches that are not done hold a tag.
    in_work: HashMap<(ImageName, Tag), usize>,
    /// Tags that wait or are in work. One that is both counts once: who announces a tag that is in work must not be sent away.
    entries: usize,
}

/// What waits for one image.
#[derive(Default)]
struct Line {
    /// By the number under which they joined the line.
    events: BTreeMap<u64, QueuedEvent>,
    /// The number of each tag.
    numbers: HashMap<Tag, u64>,
    next: u64,
}

impl Line {
    /// Puts an event at the end, and gives back what waited for its tag.
    fn join(&mut self, queued: QueuedEvent) -> Option<QueuedEvent> {
        let number = self.next;
        self.next += 1;
        let before = self.numbers.insert(queued.event.tag.clone(), number);
        self.events.insert(number, queued);
        self.events.remove(&before?)
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
    fn waits(&self, image: &ImageName, tag: &Tag) -> bool {
        let line = self.waiting.get(image);
        line.is_some_and(|line| line.numbers.contains_key(tag))
    }

    fn is_new(&self, event: &ImageEvent) -> bool {
        let key = (event.image.clone(), event.tag.clone());
        !self.in_work.contains_key(&key) && !self.waits(&event.image, &event.tag)
    }

    /// Whether so many more are too many. A queue without entries takes any delivery: one that is larger than the bound would never fit.
    fn is_full(&self, added: usize, capacity: usize) -> bool {
        added > 0 && self.entries > 0 && self.entries + added > capacity
    }

    fn place(&mut self, delivery: &DeliveryId, event: ImageEvent) -> Placement {
        if self.is_new(&event) {
            self.entries += 1;
        }
        let order = &mut self.order;
        let line = self.waiting.entry(event.image.clone());
        let line = line.or_insert_with_key(|image| {
            order.push_back(image.clone());
            Line::default()
        });
        let before = line.join(QueuedEvent {
            event,
            delivery: delivery.clone(),
        });
        match before {
            Some(before) => Placement::Replaced {
                superseded: before.delivery,
            },
            None => Placement::Added,
        }
    }

    fn take(&mut self) -> Option<Batch> {
        let image = self.order.pop_front()?;
        let line = self.waiting.remove(&image)?;
        for tag in line.numbers.into_keys() {
            *self.in_work.entry((image.clone(), tag)).or_default() += 1;
        }
        let events = line.events.into_values().collect();
        Some(Batch { image, events })
    }

    fn end(&mut self, image: &ImageName, tag: &Tag) {
        let Entry::Occupied(mut batches) = self.in_work.entry((image.clone(), tag.clone())) else {
            return;
        };
        *batches.get_mut() -= 1;
        if *batches.get() > 0 {
            return;
        }
        batches.remove();
        if !self.waits(image, tag) {
            self.entries -= 1;
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
            let added = events.iter().filter(|event| state.is_new(event)).count();
            if state.is_full(added, self.capacity) {
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
        for queued in &batch.events {
            state.end(&batch.image, &queued.event.tag);
        }
    }
}
