//! What waits: an event, and all events of an image together.

use std::time::SystemTime;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;

/// The number of an entry in a queue. A later one is greater, after a new start too where the queue outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u64);

/// An event and the delivery that last announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// Its entry in the queue.
    pub entry: EntryId,
    /// The event.
    pub event: ImageEvent,
    /// The delivery.
    pub delivery: DeliveryId,
    /// When that came in.
    pub at: SystemTime,
    /// Its part of a trace, where there is one.
    pub trace: Option<TraceParent>,
}

/// What waits for one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The image.
    pub image: ImageName,
    /// Its events, at least one, the latest announced last; no tag comes twice.
    pub events: Vec<QueuedEvent>,
}
