//! Getting the credentials for a registry.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::registry::credential_source::CredentialSource;

/// Gets credentials from where they are said to be, as they are now.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait CredentialReader: Send + Sync {
    /// What a source holds, for whatever it is.
    ///
    /// # Errors
    /// [`CredentialError`].
    async fn read(&self, source: &CredentialSource) -> Result<Arc<dyn Keyring>, CredentialError>;
}

/// What a source holds: one reading of it serves many repositories.
pub trait Keyring: Send + Sync {
    /// The credentials for a repository by its names, such as `ghcr.io/acme/web`: the first name that there is something for counts.
    ///
    /// # Errors
    /// [`CredentialError::Unusable`].
    fn credentials(&self, names: &[String]) -> Result<Credentials, CredentialError>;
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

/// The same for whatever is asked.
impl Keyring for Credentials {
    fn credentials(&self, _names: &[String]) -> Result<Credentials, CredentialError> {
        Ok(self.clone())
    }
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
