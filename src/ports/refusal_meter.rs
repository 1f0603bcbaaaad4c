//! Counting what is sent that helps nobody.

/// Counts it. It never waits and never fails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait RefusalMeter: Send + Sync {
    /// A request failed, and its source had sent more of those than are answered one by one.
    fn limited(&self);

    /// A connection ended without a request.
    fn silent(&self);
}
