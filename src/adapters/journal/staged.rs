//! What is about to be written, and who waits for it.

use std::time::SystemTime;

use tokio::sync::oneshot;

use super::writer::RETRY_AFTER;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::record::DeliveryRecord;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// A delivery that is about to be kept.
pub(super) struct Staged {
    pub(super) accepted: Accepted,
    pub(super) row: RecordForm,
    /// The row that is on disk until then, where there is one.
    pub(super) before: Option<RecordForm>,
    pub(super) entries: Vec<QueuedEvent>,
    pub(super) answer: Answer,
}

/// Who waits for a delivery to be kept.
pub(super) enum Answer {
    Push(oneshot::Sender<Result<Pushed, QueueError>>),
    Redeliver(oneshot::Sender<Result<Redelivery, LogError>>),
}

impl Answer {
    /// Tells that nothing was kept, and why.
    pub(super) fn refuse(self, reason: &str) {
        let reason = reason.to_owned();
        match self {
            Self::Push(answer) => {
                _ = answer.send(Err(QueueError::Unavailable {
                    reason,
                    retry_after: RETRY_AFTER,
                }));
            }
            Self::Redeliver(answer) => _ = answer.send(Err(LogError::Unavailable(reason))),
        }
    }
}

/// A delivery that is on disk, to be accepted again.
pub(super) fn again(row: Option<RecordForm>) -> Result<Option<(Accepted, RecordForm)>, LogError> {
    let Some(row) = row else {
        return Ok(None);
    };
    let record = DeliveryRecord::try_from(row.clone()).map_err(LogError::Unavailable)?;
    Ok(Some((record.again(SystemTime::now()), row)))
}
