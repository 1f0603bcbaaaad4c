//! Nobody who is told.

use async_trait::async_trait;

use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::resource::ResourceId;
use crate::ports::status_writer::StatusWriter;
use crate::ports::tell_error::TellError;

/// Takes statuses and writes none: where ImageUpdaters are files, and in a dry run, what is done is counted and nothing more.
#[derive(Debug, Clone, Copy)]
pub struct Untold;

#[async_trait]
impl StatusWriter for Untold {
    async fn write(
        &self,
        _: &ResourceId,
        _: &ImageUpdaterStatus,
        _: &ImageUpdaterStatus,
    ) -> Result<(), TellError> {
        Ok(())
    }
}
