//! How much is left to do.

use std::time::Duration;

/// Knows what was accepted and is not done.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait BacklogView: Send + Sync {
    /// The events that wait or are in work.
    fn events(&self) -> usize;

    /// How long ago the oldest of them was accepted; `None`: there is none.
    fn oldest(&self) -> Option<Duration>;

    /// How many events may wait.
    fn capacity(&self) -> usize;
}
