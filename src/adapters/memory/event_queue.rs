//! A queue in memory: fast, bounded, and lost with the process.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::lines::Lines;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

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
    lines: Lines,
    /// How many events have come so far.
    arrivals: u64,
}

impl State {
    fn push(&mut self, accepted: Accepted, capacity: usize) -> Result<Pushed, QueueError> {
        let same = accepted
            .key
            .as_ref()
            .and_then(|key| self.lines.same_as(key));
        if let Some(same) = same {
            return Ok(Pushed::Duplicate(same.clone()));
        }
        if self.lines.is_full_for(&accepted, capacity, 0) {
            return Err(QueueError::Full {
                retry_after: RETRY_AFTER,
            });
        }
        let (delivery, at, trace) = (accepted.delivery, accepted.at, accepted.trace);
        let placed = accepted.events.into_iter().map(|event| {
            self.arrivals += 1;
            let queued = QueuedEvent {
                entry: EntryId(self.arrivals),
                event,
                delivery: delivery.clone(),
                at,
                trace: trace.clone(),
            };
            Placement::instead_of(self.lines.place(queued, accepted.key.as_ref()))
        });
        Ok(Pushed::Queued(placed.collect()))
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

#[async_trait]
impl EventQueue for InMemoryQueue {
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError> {
        let pushed = self.state().push(accepted.into_inner(), self.capacity);
        self.arrived.notify_one();
        pushed
    }

    async fn next(&self) -> Batch {
        loop {
            let batch = self.state().lines.take();
            match batch {
                Some(batch) => return batch,
                None => self.arrived.notified().await,
            }
        }
    }

    fn is_kept(&self, _: &Batch) -> bool {
        true
    }

    async fn done(&self, batch: &Batch, _: &Fate) {
        self.state().lines.end(batch);
    }

    fn load(&self) -> Load {
        let state = self.state();
        Load {
            open: state.lines.open(),
            oldest: state.lines.oldest(),
        }
    }
}
