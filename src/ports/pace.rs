//! When the next event may be worked on.

use async_trait::async_trait;

/// Spaces work out, as [`RatePolicy`](crate::domain::rate_policy::RatePolicy) says.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for a turn and takes it. A wait that is given up takes none.
    async fn turn(&self);
}
