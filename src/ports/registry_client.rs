//! Asking a registry.

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::reference::{Digest, ImageName, Tag};

/// Asks registries what an event alone does not tell.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait RegistryClient: Send + Sync {
    /// What a tag points at; `None` where the registry does not have the tag.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn digest(&self, image: &ImageName, tag: &Tag) -> Result<Option<Digest>, RegistryError>;
}

/// Why a registry gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// It refuses these credentials.
    #[error("the registry refused access: {reason}")]
    Denied {
        /// What it said.
        reason: String,
    },
    /// It cannot be asked now.
    #[error("the registry could not be asked: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}
