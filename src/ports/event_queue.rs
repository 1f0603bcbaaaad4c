//! What was accepted and waits to be worked on.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::secret_policy::Verified;

/// A bounded queue with one entry for each registry, repository and tag that waits or is in work.
///
/// A tag that is announced anew while it is in work waits anew, and counts once against the bound: so more may be held than the bound, by
/// at most what is in work.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait EventQueue: Send + Sync {
    /// Queues all events of a delivery, or none. An event whose image and tag wait already takes that entry's place in the line and
    /// replaces its digest. One placement is answered for each event.
    ///
    /// What needs no new entry always has room, and a queue without entries takes a delivery of any size.
    ///
    /// # Errors
    /// [`QueueError`]; nothing was queued.
    async fn push(
        &self,
        delivery: &DeliveryId,
        events: Verified<Vec<ImageEvent>>,
    ) -> Result<Vec<Placement>, QueueError>;

    /// Waits for work and takes everything that waits for one image: the one whose oldest event has waited longest. The events come in
    /// the order in which they were announced, and count against the bound until they are done.
    ///
    /// It is ready when it is first polled where something waits: the end of the process takes what is left until nothing is ready.
    async fn next(&self) -> Batch;

    /// Says that the work on a batch has ended, well or not.
    async fn done(&self, batch: &Batch);
}

/// What waits for one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The image.
    pub image: ImageName,
    /// Its events, at least one, the latest announced last; no tag comes twice.
    pub events: Vec<QueuedEvent>,
}

/// An event and the delivery that last announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// The event.
    pub event: ImageEvent,
    /// The delivery.
    pub delivery: DeliveryId,
}

/// Where a pushed event went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// It is a new entry.
    Added,
    /// It replaced what waited for the same tag.
    Replaced {
        /// The delivery that had announced it before.
        superseded: DeliveryId,
    },
}

/// Why nothing was queued.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// The queue is at its bound.
    #[error("the queue is full; try again in {} s", retry_after.as_secs())]
    Full {
        /// When to try again.
        retry_after: Duration,
    },
}
