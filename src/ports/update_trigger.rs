//! Carrying a decision out.

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::change::ApplicationChange;

/// Writes changes into Applications.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait UpdateTrigger: Send + Sync {
    /// Makes changes, and gives one result for each, in their order. Of every change all edits are made or none; one that fails stops no
    /// other. Nothing but the values that they name is touched. What a decision leads to is given together, so that what stands in one
    /// place is written once.
    ///
    /// # Errors
    /// [`TriggerError`] in the place of a change of which nothing was written.
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>>;
}

/// Why a change was not written, by what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TriggerError {
    /// Something else stands where the change wants to write: decide again.
    #[error("the Application changed meanwhile: {reason}")]
    Moved {
        /// What differs.
        reason: String,
    },
    /// The Application is no longer there.
    #[error("the Application is gone")]
    Gone,
    /// It cannot be written, however often it is tried.
    #[error("failed to write the Application: {reason}")]
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// It could not be written now.
    #[error("failed to write the Application for now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}
