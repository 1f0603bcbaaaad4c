//! Verifying signatures of images.

use async_trait::async_trait;

use crate::domain::reference::Digest;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Failure;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::ports::registry_client::RegistryError;
use thiserror::Error;

/// Verifies signatures.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait SignatureVerifier: Send + Sync {
    /// Whether what a digest names is signed with a key that a Secret of a namespace holds.
    ///
    /// # Errors
    /// [`VerifyError`].
    async fn verify(
        &self,
        access: &Access,
        digest: &Digest,
        namespace: &str,
        key: &SecretKeyRef,
    ) -> Result<(), VerifyError>;
}

/// Why something does not count as signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// There is no usable key.
    #[error("{0}")]
    Key(String),
    /// It is not signed with the key.
    #[error("{0}")]
    Unsigned(String),
    /// Nobody knows.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The Secret cannot be read now.
    #[error("{0}")]
    KeyUnavailable(String),
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Registry(error) => error.into(),
            VerifyError::Key(reason) | VerifyError::Unsigned(reason) => Self {
                reason,
                is_passing: false,
            },
            VerifyError::KeyUnavailable(reason) => Self {
                reason,
                is_passing: true,
            },
        }
    }
}
