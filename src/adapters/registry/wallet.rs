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
use crate::ports::credential_reader::Keyring;
use crate::ports::registry_client::RegistryError;

/// What sources of credentials hold: of each all of it, as it was read once.
pub(super) struct Wallet {
    held: Mutex<HashMap<CredentialSource, Reading>>,
    reading: Once<CredentialSource, Result<Reading, CredentialError>>,
}

/// What a source held when it was read.
#[derive(Clone)]
struct Reading {
    keyring: Arc<dyn Keyring>,
    since: Instant,
}

/// Credentials for a repository, and since when they are held.
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

    /// Forgets what a source held with credentials that were refused, if it was not read again by now.
    pub(super) fn forget(&self, source: &CredentialSource, refused: &Held) {
        let mut held = locked(&self.held);
        let is_it = |known: &Reading| known.since <= refused.since;
        if held.get(source).is_some_and(is_it) {
            held.remove(source);
        }
    }
}

impl Reading {
    fn held(&self, names: &[String]) -> Result<Held, CredentialError> {
        Ok(Held {
            credentials: self.keyring.credentials(names)?,
            since: self.since,
        })
    }
}

impl Host {
    /// The credentials for a repository from a source: those that are held, unless they are too old, or as they are now.
    pub(super) async fn credentials(
        self: &Arc<Self>,
        source: &CredentialSource,
        image_registry: &str,
        repository: &str,
    ) -> Result<Held, RegistryError> {
        let wallet = &self.guard.wallet;
        let names = self.names(image_registry, repository);
        let known = locked(&wallet.held).get(source).cloned();
        let known = known.filter(|reading| self.is_good(source, reading));
        // What it did not hold may have been added since.
        if let Some(held) = known.and_then(|reading| reading.held(&names).ok()) {
            return Ok(held);
        }
        let asking = || {
            let (host, source) = (Arc::clone(self), source.clone());
            async move { host.read(source).await }
        };
        let fresh = wallet.reading.ask(source, asking).await;
        fresh
            .and_then(|reading| reading.held(&names))
            .map_err(|error| match error {
                CredentialError::Unusable(reason) => self.trouble.credentials(reason),
                CredentialError::Unavailable(reason) => self
                    .trouble
                    .unavailable(format!("its credentials cannot be had: {reason}"), None),
            })
    }

    async fn read(&self, source: CredentialSource) -> Result<Reading, CredentialError> {
        let fresh = Reading {
            keyring: self.means.credentials.read(&source).await?,
            since: Instant::now(),
        };
        let mut held = locked(&self.guard.wallet.held);
        held.retain(|source, reading| self.is_good(source, reading));
        held.insert(source, fresh.clone());
        Ok(fresh)
    }

    fn is_good(&self, source: &CredentialSource, reading: &Reading) -> bool {
        let lifetime = if self.endpoint.credentials.as_ref() == Some(source) {
            self.endpoint.credentials_expire.unwrap_or(Duration::MAX)
        } else {
            self.means.timings.image_credentials
        };
        reading.since.elapsed() < lifetime
    }

    /// Under which names its credentials for a repository may stand: that of the image, and that of the repository at its API. Where it has
    /// the images of all registries, what is meant for one of those is not for its API.
    fn names(&self, image_registry: &str, repository: &str) -> Vec<String> {
        let at_api = format!("{}/{repository}", self.authority());
        if self.endpoint.prefix.is_empty() {
            return vec![at_api];
        }
        let mut names = vec![format!("{image_registry}/{repository}"), at_api];
        names.dedup();
        names
    }
}
