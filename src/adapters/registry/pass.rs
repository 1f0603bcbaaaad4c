//! What a request shows to a registry: credentials, or a token that was got for them.

use std::sync::Arc;

use http::HeaderValue;
use reqwest::Url;
use tokio::sync::OwnedMutexGuard;

use super::exchange::locked;
use super::guard::Issued;
use super::guard::Scheme;
use super::target::Target;
use super::token;
use super::token::Token;
use super::token::TokenError;
use super::token::Wanted;
use super::wallet::Held;
use crate::domain::registry::credential_source::CredentialSource;
use crate::ports::credential_reader::Credentials;
use crate::ports::registry_client::RegistryError;

/// What a request shows to the registry.
pub(super) struct Pass {
    pub(super) header: Option<HeaderValue>,
    pub(super) token: Option<Token>,
    /// Whether the token was there before, so that it may have ended.
    pub(super) is_used: bool,
    pub(super) held: Option<Held>,
    /// What it is for.
    pub(super) scheme: Option<Scheme>,
    /// Others wait for what this one finds out.
    _discovery: Option<OwnedMutexGuard<()>>,
}

/// Why there is no pass.
pub(super) enum NoPass {
    Refused(String, Option<Held>),
    Other(RegistryError),
}

impl Target {
    /// What to show, as far as it is known what the registry wants to see.
    pub(super) async fn pass(&self) -> Result<Pass, NoPass> {
        let guard = &self.host.guard;
        let mut discovery = None;
        if guard.scheme().is_none() {
            discovery = Arc::clone(&guard.discovery).try_lock_owned().ok();
            if discovery.is_none() {
                // Somebody finds out. Where that came to nothing, everybody tries: one after the other would take too long.
                drop(guard.discovery.lock().await);
            }
        }
        let scheme = guard.scheme();
        let mut pass = Pass {
            header: None,
            token: None,
            is_used: false,
            held: None,
            scheme: scheme.clone(),
            _discovery: discovery,
        };
        match scheme {
            None | Some(Scheme::Open) => {}
            Some(Scheme::Basic) => {
                pass.held = self.held().await?;
                let credentials = pass.held.as_ref().map(|held| &held.credentials);
                pass.header = self.basic(credentials)?;
            }
            Some(Scheme::Bearer { realm, service }) => {
                let known = locked(&guard.tokens).get(&self.key).cloned();
                let known = known.filter(|issued| issued.token.is_good());
                pass.is_used = known.is_some();
                let issued = match known {
                    Some(issued) => issued,
                    None => self.fetch(realm, service).await?,
                };
                pass.held = issued.held;
                pass.header = Some(issued.token.header.clone());
                pass.token = Some(issued.token);
            }
        }
        Ok(pass)
    }

    async fn held(&self) -> Result<Option<Held>, NoPass> {
        let Some(source) = &self.key.source else {
            return Ok(None);
        };
        let held = self.credentials(source).await;
        held.map(Some).map_err(NoPass::Other)
    }

    pub(super) async fn credentials(
        &self,
        source: &CredentialSource,
    ) -> Result<Held, RegistryError> {
        let (registry, repository) = (&self.image_registry, self.repository());
        self.host.credentials(source, registry, repository).await
    }

    fn basic(&self, credentials: Option<&Credentials>) -> Result<Option<HeaderValue>, NoPass> {
        match credentials {
            None => Ok(None),
            Some(Credentials::Password { user, password }) => Ok(token::basic(user, password)),
            Some(Credentials::IdentityToken(_)) => {
                let reason = "it takes only a user and a password, and these are an identity token";
                Err(NoPass::Other(self.host.trouble.credentials(reason)))
            }
        }
    }

    /// A new token, got once however many want it.
    async fn fetch(&self, realm: Url, service: Option<String>) -> Result<Issued, NoPass> {
        let held = self.held().await?;
        let asking = || {
            let (host, key) = (Arc::clone(&self.host), Arc::clone(&self.key));
            let held = held.clone();
            let repository = key.repository.clone();
            let wanted = Wanted {
                realm,
                service,
                repository,
            };
            async move {
                let credentials = held.as_ref().map(|held| &held.credentials);
                let token = host.token(&wanted, credentials).await?;
                let issued = Issued { token, held };
                let mut tokens = locked(&host.guard.tokens);
                tokens.retain(|_, issued| issued.token.is_good());
                tokens.insert(key, issued.clone());
                Ok(issued)
            }
        };
        let fetched = self.host.guard.fetching.ask(&self.key, asking).await;
        fetched.map_err(|error| match error {
            TokenError::Refused(reason) => NoPass::Refused(reason, held),
            TokenError::Other(error) => NoPass::Other(error),
        })
    }
}
