//! Counting what registries are asked.

use std::time::Duration;

/// Counts requests.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait RegistryMeter: Send + Sync {
    /// A request was sent to the registry of that name, for a token too. It failed where there was no answer, or one of a failure; that something
    /// is not there, or that credentials are wanted, is none.
    fn asked(&self, registry: &str, failed: bool);

    /// A request to the registry of that name waited so long for the rate that is set for it, or because it wanted to be left alone.
    fn waited(&self, registry: &str, time: Duration);
}
