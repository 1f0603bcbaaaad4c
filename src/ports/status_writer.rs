//! Writing the status of ImageUpdaters.

use async_trait::async_trait;

use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::resource::ResourceId;
use crate::ports::tell_error::TellError;

/// Writes the status of ImageUpdaters.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait StatusWriter: Send + Sync {
    /// Writes what differs between two statuses of an ImageUpdater. What the [reader](super::resource_reader::ResourceReader) of the same place says
    /// afterwards holds it.
    ///
    /// # Errors
    /// [`TellError`]; nothing was written.
    async fn write(
        &self,
        updater: &ResourceId,
        before: &ImageUpdaterStatus,
        after: &ImageUpdaterStatus,
    ) -> Result<(), TellError>;
}
