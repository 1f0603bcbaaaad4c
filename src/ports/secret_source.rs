//! Where secrets come from.

#[cfg(test)]
pub(crate) mod contract;

use std::sync::Arc;

use crate::domain::secret_policy::Secrets;

/// Knows the secrets that are valid now.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait SecretSource: Send + Sync {
    /// The secrets of a type, by its `secret_name`; empty where there is none. It is asked for every delivery, so it answers from memory.
    fn secrets(&self, secret_name: &str) -> Arc<Secrets>;
}
