//! Telling people what happened to an object.

use async_trait::async_trait;

use crate::domain::status::announcement::Announcement;
use crate::ports::tell_error::TellError;

/// Announces what happened, each time anew.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Announcer: Send + Sync {
    /// Announces it.
    ///
    /// # Errors
    /// [`TellError`]; nobody was told.
    async fn announce(&self, announcement: &Announcement) -> Result<(), TellError>;
}
