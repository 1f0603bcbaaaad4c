//! How often the Kubernetes API was called.

/// Knows how often the Kubernetes API was called since the start.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait ApiCalls: Send + Sync {
    /// The requests that were sent, watches included.
    fn requests(&self) -> u64;

    /// Those of them that were answered by an error, or not at all.
    fn errors(&self) -> u64;
}
