//! Who may read the metrics.

use async_trait::async_trait;
use thiserror::Error;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read the metrics.
    Granted,
    /// Nothing: the token is nobody's.
    Unknown,
    /// Not this: the token is somebody's, who lacks the permission to get `/metrics`.
    Denied,
}

/// Why nobody can tell what a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReviewError {
    /// The program itself lacks the permission to ask.
    #[error(
        "the permission to create {resource} is missing: {reason}; bind the ClusterRole argocd-image-updater-metrics-auth-role to the program's account, or serve with --metrics-secure=false"
    )]
    Forbidden {
        /// The resource, with its group.
        resource: &'static str,
        /// What the API server said.
        reason: String,
    },
    /// It could not be asked for now.
    #[error("the API server could not say whether the token is valid: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// Says what callers may do.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait AccessReviewer: Send + Sync {
    /// What whoever has this bearer token may do.
    ///
    /// # Errors
    /// [`ReviewError`].
    async fn review(&self, token: &str) -> Result<Access, ReviewError>;
}
