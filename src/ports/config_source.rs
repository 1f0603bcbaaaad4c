//! Where settings come from.

use std::fmt;

use thiserror::Error;

/// One source of settings: the flags, the environment, a mounted ConfigMap.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait ConfigSource: Send + Sync {
    /// Every value it gives, as text.
    ///
    /// # Errors
    /// [`ConfigSourceError`] where the source is there and cannot be read.
    fn values(&self) -> Result<Vec<ConfigValue>, ConfigSourceError>;
}

/// A value that a source gives. It may be a secret, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigValue {
    /// The setting's key as this source spells it, such as `--webhook-port`, `WEBHOOK_PORT` or `webhook.port`.
    pub key: String,
    /// The text. What is no UTF-8 in it is replaced by U+FFFD, which no setting allows.
    pub value: String,
}

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigValue")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A source of settings cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read {place}: {reason}")]
pub struct ConfigSourceError {
    /// The source.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}
