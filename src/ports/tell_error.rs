//! Why something that only tells what happened could not be written.

use thiserror::Error;

/// Why a status or an Event was not written. What it tells of has happened all the same.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TellError {
    /// The permission is missing.
    #[error(
        "the permission to {verb} {resource} in namespace {namespace} is missing: {reason}; grant it by a Role, or do without"
    )]
    Forbidden {
        /// The verb of the permission.
        verb: &'static str,
        /// The resource, with its group.
        resource: &'static str,
        /// The namespace.
        namespace: String,
        /// What the API server said.
        reason: String,
    },
    /// The object is no longer there.
    #[error("the object is gone")]
    Gone,
    /// It cannot be written, however often it is tried.
    #[error("it was refused: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// It could not be written now.
    #[error("it could not be written for now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}
