//! What is counted of the work.

use crate::domain::resources::resource::ResourceId;

/// Counts what is done for ImageUpdaters. It never waits and never fails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Meter: Send + Sync {
    /// So many Applications are those of an ImageUpdater now. With this an ImageUpdater becomes known.
    fn applications_watched(&self, updater: &ResourceId, applications: u32);

    /// So many images are tracked for an ImageUpdater now, summed over its Applications.
    fn images_watched(&self, updater: &ResourceId, images: u32);

    /// So many images were changed for an ImageUpdater. It counts for those that are known.
    fn images_updated(&self, updater: &ResourceId, images: u64);

    /// So many images could not be changed for an ImageUpdater. It counts for those that are known.
    fn images_errors(&self, updater: &ResourceId, images: u64);

    /// An ImageUpdater is gone, and what was counted for it.
    fn forget(&self, updater: &ResourceId);
}
