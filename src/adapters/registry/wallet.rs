//! Credentials for one registry, kept for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::exchange::locked;
use super::host::Host;
use super::once::Once;
use crate::domain::registry::credential_source::CredentialSource;
use crate::ports::credential_reader::CredentialError;
use crate::ports::credential_reader::Credentials;
use crate::ports::registry_client::RegistryError;

/// Credentials by where they are from.
pub(super) struct Wallet {
    held: Mutex<HashMap<CredentialSource, Held>>,
    reading: Once<CredentialSource, Result<Credentials, CredentialError>>,
}

/// Credentials, and since when they are held.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) credentials: Credentials,
    pub(super) since: Instant,
}

impl Wallet {
    pub(super) fn new() -> Self {
        Self {
            held: Mutex::new(HashMap::new()),
            reading: Once::new(),
        }
    }

    /// Forgets credentials that were refused, if it holds no others by now.
    pub(super) fn forget(&self, source: &CredentialSource, refused: &Credentials) {
        let mut held = locked(&self.held);
        let is_it = |known: &Held| known.credentials == *refused;
        if held.get(source).is_some_and(is_it) {
            held.remove(source);
        }
    }
}

impl Host {
    /// The credentials from a source: those that are held, unless they are too old, or as they are now.
    pub(super) async fn credentials(
        self: &Arc<Self>,
        source: &CredentialSource,
        image_registry: &str,
    ) -> Result<Held, RegistryError> {
        let wallet = &self.guard.wallet;
        let known = locked(&wallet.held).get(source).cloned();
        if let Some(known) = known.filter(|held| self.is_good(source, held)) {
            return Ok(known);
        }
        let hosts = self.names(image_registry);
        let asking = || {
            let (reader, source) = (Arc::clone(&self.means.credentials), source.clone());
            async move { reader.read(&source, &hosts).await }
        };
        let credentials = wallet.reading.ask(source, asking).await;
        let credentials = credentials.map_err(|error| match error {
            CredentialError::Unusable(reason) => self.trouble.credentials(reason),
            CredentialError::Unavailable(reason) => self
                .trouble
                .unavailable(format!("its credentials cannot be had: {reason}"), None),
        })?;
        let fresh = Held {
            credentials,
            since: Instant::now(),
        };
        let mut held = locked(&wallet.held);
        held.retain(|source, held| self.is_good(source, held));
        held.insert(source.clone(), fresh.clone());
        Ok(fresh)
    }

    fn is_good(&self, source: &CredentialSource, held: &Held) -> bool {
        let lifetime = if self.endpoint.credentials.as_ref() == Some(source) {
            self.endpoint.credentials_expire.unwrap_or(Duration::MAX)
        } else {
            self.means.timings.image_credentials
        };
        held.since.elapsed() < lifetime
    }

    /// Under which names its credentials may stand.
    fn names(&self, image_registry: &str) -> Vec<String> {
        let prefix = if self.endpoint.prefix.is_empty() {
            image_registry
        } else {
            &self.endpoint.prefix
        };
        let mut names = vec![prefix.to_owned(), self.authority()];
        names.dedup();
        names
    }
}
