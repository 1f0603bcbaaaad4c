//! What is remembered of deliveries.

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::delivery::DeliveryId;
use crate::domain::queue::record::DeliveryRecord;

/// The deliveries that were accepted, as far as they are remembered.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// A page of them, the newest first: those that came before one, or the newest of all. It has so many at the most, and may have fewer, as large
    /// ones are not given many at once; only where there are no earlier ones it is empty. The last one of a page is what the next one comes before.
    ///
    /// # Errors
    /// [`LogError`].
    async fn list(
        &self,
        before: Option<DeliveryId>,
        most: usize,
    ) -> Result<Vec<DeliveryRecord>, LogError>;

    /// One of them; `None` where it is not known, or no longer.
    ///
    /// # Errors
    /// [`LogError`].
    async fn show(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, LogError>;

    /// Queues all events of a delivery again, under its old name, as if its sender had sent it once more.
    ///
    /// # Errors
    /// [`LogError`]; nothing was queued.
    async fn redeliver(&self, id: &DeliveryId) -> Result<Redelivery, LogError>;
}

/// What became of the wish to have a delivery worked on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redelivery {
    /// All its events are queued.
    Queued,
    /// Something of it waits or is in work anyway.
    Open,
    /// There is no such delivery, or it is no longer remembered.
    Unknown,
}

/// Why the log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogError {
    /// Nothing can be read or written now.
    #[error("the deliveries cannot be read now: {0}")]
    Unavailable(String),
}
