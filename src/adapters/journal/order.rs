//! What the writer is asked for.

use std::time::SystemTime;

use tokio::sync::oneshot;

use super::store::Store;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// What the writer is asked for.
pub(super) enum Order {
    /// To keep a delivery.
    Push {
        accepted: Accepted,
        answer: oneshot::Sender<Result<Pushed, QueueError>>,
    },
    /// To note what became of events.
    End {
        events: Vec<QueuedEvent>,
        at: SystemTime,
        fate: Fate,
    },
    /// To let a delivery begin again.
    Redeliver {
        id: DeliveryId,
        answer: oneshot::Sender<Result<Redelivery, LogError>>,
    },
    /// To read.
    Read(Reading),
}

/// Reads, if the store can be read.
pub(super) type Reading = Box<dyn FnOnce(Result<&Store, LogError>) + Send>;
