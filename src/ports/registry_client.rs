//! Asking a registry.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::question::BuildQuestion;

/// Asks registries what an event alone does not tell. Whoever asks what is being asked already gets the answer to that; every answer comes
/// within a bounded time.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait RegistryClient: Send + Sync {
    /// All tags of a repository, as the registry lists them now.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn tags(&self, access: &Access) -> Result<TagList, RegistryError>;

    /// What a tag points at now; `None` where the registry answers that it does not have the tag.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn digest(&self, access: &Access, tag: &Tag) -> Result<Option<Digest>, RegistryError>;

    /// What is known of a build; `None` where the registry answers that it does not have it.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn build(
        &self,
        access: &Access,
        question: &BuildQuestion,
    ) -> Result<Option<Build>, RegistryError>;
}

/// Why a registry gave no answer, by what to do about it. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// It refuses these credentials, or there are none.
    #[error("registry {registry} refused access: {reason}")]
    Denied {
        /// Its name.
        registry: String,
        /// What it said, and where the credentials are from.
        reason: String,
    },
    /// The credentials cannot be had.
    #[error("no credentials for registry {registry}: {reason}")]
    Credentials {
        /// Its name.
        registry: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It answers that it has no such repository.
    #[error(
        "registry {registry} has no repository {repository}: correct the name of the image, or give credentials that may see it"
    )]
    Missing {
        /// Its name.
        registry: String,
        /// The repository.
        repository: String,
    },
    /// It cannot be asked now.
    #[error("registry {registry} could not be asked: {reason}")]
    Unavailable {
        /// Its name.
        registry: String,
        /// Why.
        reason: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It answers something that makes no sense.
    #[error("registry {registry} answered what cannot be used: {reason}")]
    Nonsense {
        /// Its name.
        registry: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let is_passing = match &error {
            RegistryError::Unavailable { .. } => true,
            RegistryError::Denied { .. }
            | RegistryError::Credentials { .. }
            | RegistryError::Missing { .. }
            | RegistryError::Nonsense { .. } => false,
        };
        Self {
            reason: error.to_string(),
            is_passing,
        }
    }
}
