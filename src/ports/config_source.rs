//! Where settings come from.

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

/// A value that a source gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValue {
    /// The setting's key as this source spells it, such as `--webhook-port`, `WEBHOOK_PORT` or `webhook.port`.
    pub key: String,
    /// The text.
    pub value: String,
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
