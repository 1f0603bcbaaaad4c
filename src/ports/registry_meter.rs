//! What is counted of the questions to registries.

/// Counts requests. It never waits and never fails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait RegistryMeter: Send + Sync {
    /// A registry was asked, and gave no answer or an error where this `failed`. `registry` is a name out of the configuration or of a tracked
    /// image, never one that a stranger chooses: each makes a series that stays.
    fn asked(&self, registry: &str, failed: bool);
}
