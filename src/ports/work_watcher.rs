//! Watching what becomes of what was accepted.

use std::time::Duration;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::reference::ImageName;

/// What the log and the metrics call it that no Application tracks an image.
pub const UNMATCHED: &str = "unmatched";

/// Sees the work on events and looks. It never waits and never fails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait WorkWatcher: Send + Sync {
    /// A delivery is about to be queued. Gives what its part of a trace is called, which goes with its events.
    fn accepted(&self, delivery: &DeliveryId) -> Option<TraceParent>;

    /// A step of the work has just ended.
    #[expect(
        clippy::elidable_lifetime_names,
        reason = "mockall wants the lifetime named"
    )]
    fn stepped<'a>(&self, stepped: Stepped<'a>);

    /// An image has an outcome in an Application, or everywhere at once: `None` where no Application tracks it.
    fn concluded(&self, occasion: Occasion, outcome: Option<ImageOutcome>);

    /// An image was changed for an event, so long after its delivery was accepted.
    fn changed(&self, after: Duration);
}

/// A step that has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stepped<'a> {
    /// Which one.
    pub step: Step,
    /// The image.
    pub image: &'a ImageName,
    /// The events that it was for; none where a registry is looked at.
    pub events: &'a [QueuedEvent],
    /// How long it took.
    pub took: Duration,
    /// Whether it failed, wholly or in part.
    pub failed: bool,
}

/// The steps of the way from a delivery to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Events waited in the queue.
    Queue,
    /// It was decided what is to be done.
    Judge,
    /// Registries were asked.
    Ask,
    /// Changes were written.
    Write,
}

/// Why an image is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// A delivery announced it.
    Delivery,
    /// Its registry is looked at.
    Look,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 2] = [Self::Delivery, Self::Look];

    /// The occasion of work on these events.
    #[must_use]
    pub fn of(events: &[QueuedEvent]) -> Self {
        if events.is_empty() {
            Self::Look
        } else {
            Self::Delivery
        }
    }

    /// A name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Look => "look",
        }
    }
}
