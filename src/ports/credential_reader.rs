//! Getting the credentials for a registry.

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::registry::credential_source::CredentialSource;

/// Gets credentials from where they are said to be, as they are now.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait CredentialReader: Send + Sync {
    /// The credentials for a registry. `hosts` are its names, in a Docker configuration too: the prefix of its images first, then the host of
    /// its API.
    ///
    /// # Errors
    /// [`CredentialError`].
    async fn read(
        &self,
        source: &CredentialSource,
        hosts: &[String],
    ) -> Result<Credentials, CredentialError>;
}

/// Credentials. Their `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password or access token.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A refresh token of OAuth 2, which gets access tokens.
    IdentityToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password([redacted])",
            Self::IdentityToken(_) => "IdentityToken([redacted])",
        })
    }
}

/// Why there are no credentials. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// What is there is of no use.
    #[error("{0}")]
    Unusable(String),
    /// They cannot be had now.
    #[error("{0}")]
    Unavailable(String),
}
