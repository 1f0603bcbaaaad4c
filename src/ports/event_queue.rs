//! What was accepted and waits to be worked on.

use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::secret_policy::Verified;

/// A bounded queue with one entry for each registry, repository and tag that waits or is in work.
///
/// A tag that is announced anew while it is in work waits anew, and counts once against the bound: so more may be held than the bound, by
/// at most what is in work.
///
/// Several processes may share one. All of them push, and each image is worked on by one of them at a time. What comes in at the same moment
/// in several of them may go beyond the bound together.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait EventQueue: Send + Sync {
    /// Queues all events of a delivery, or none. An event whose image and tag wait already takes that entry's place in the line and
    /// replaces its digest. A delivery that its sender calls by the same name as one of which something waits or is in work is not queued again.
    ///
    /// When it answers, the delivery is as safe as this queue can make it.
    ///
    /// What needs no new entry always has room, and a queue without entries takes a delivery of any size that it can keep at all.
    ///
    /// # Errors
    /// [`QueueError`]; nothing was queued. Where the word of a queue elsewhere got lost on the way, all of it may be queued nevertheless: whoever
    /// sends again under the same name is right in any case.
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError>;

    /// Waits for work and takes everything that waits for one image: the one whose oldest event has waited longest, of those that this
    /// process may work on. The events come in the order in which they were announced, and count against the bound until they are done.
    ///
    /// It is ready when it is first polled where such an image waits: the end of the process takes what is left until nothing is ready.
    async fn next(&self) -> Batch;

    /// Whether what was taken is this process's to work on still: another one may have it by now, and even newer work of the same image. To be
    /// asked when the work begins, where it has waited since it was taken. Where the answer is no, the work is over here; what is this process's all
    /// the same is given again.
    fn is_kept(&self, batch: &Batch) -> bool;

    /// Says that the work on a batch, or on a part of one, has ended, and how. Where the process ends before this, a queue that outlives it
    /// gives the batch again, here or elsewhere.
    async fn done(&self, batch: &Batch, fate: &Fate);

    /// How much is not done, of what this process works on.
    fn load(&self) -> Load;
}

/// How much of a queue is not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// How many events wait or are in work.
    pub open: usize,
    /// When the first of them came.
    pub oldest: Option<SystemTime>,
}

/// What became of a pushed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// It is queued. One for each event, in their order.
    Queued(Vec<Placement>),
    /// Something of this delivery, which is the same, waits or is in work.
    Duplicate(DeliveryId),
}

/// Where a pushed event went, as far as this process can tell.
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

impl Placement {
    /// Where an event went that took the place of this one, if of any.
    #[must_use]
    pub fn instead_of(before: Option<QueuedEvent>) -> Self {
        before.map_or(Self::Added, |before| Self::Replaced {
            superseded: before.delivery,
        })
    }
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
    /// It cannot be kept safe.
    #[error("the delivery cannot be kept now: {reason}; try again in {} s", retry_after.as_secs())]
    Unavailable {
        /// Why, and what to do about it.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
}
