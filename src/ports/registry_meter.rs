//! Counting what registries are asked.

/// Counts requests.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait RegistryMeter: Send + Sync {
    /// A request was sent to the registry of that name, for a token too. It failed where there was no answer, or one of a failure; that something
    /// is not there, or that credentials are wanted, is none.
    fn asked(&self, registry: &str, failed: bool);
}
