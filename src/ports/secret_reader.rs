//! Reading Secrets that resources name.

use async_trait::async_trait;
use thiserror::Error;

/// Reads fields of Secrets as they are now.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait SecretReader: Send + Sync {
    /// The content of a field.
    ///
    /// # Errors
    /// [`SecretReadError`].
    async fn field(
        &self,
        namespace: &str,
        name: &str,
        field: &str,
    ) -> Result<Vec<u8>, SecretReadError>;
}

/// Why a field is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretReadError {
    /// There is no such Secret.
    #[error("there is no Secret {namespace}/{name}")]
    Absent {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// It has no such field.
    #[error("Secret {namespace}/{name} has no field {field:?}")]
    NoField {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The field.
        field: String,
    },
    /// It may not be read, however often it is tried.
    #[error("Secret {namespace}/{name} may not be read: {reason}")]
    Forbidden {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It cannot be read now.
    #[error("Secret {namespace}/{name} could not be read: {reason}")]
    Unavailable {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}
