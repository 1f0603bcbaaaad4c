//! When the next event may be worked on.

use async_trait::async_trait;

use crate::domain::rate_policy::RatePolicy;

/// Spaces work out, as a [`RatePolicy`] says.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for a turn and takes it. A wait that is given up takes none.
    async fn turn(&self);

    /// Spaces turns out by another policy from now on, for those who wait already too. What was asked for first stays first.
    fn set_rate(&self, policy: RatePolicy);
}
