//! A repository of a registry, asked with certain credentials.

use std::sync::Arc;

use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::AUTHORIZATION;
use reqwest::Url;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::exchange::Outgoing;
use super::exchange::Reply;
use super::exchange::locked;
use super::guard::Issued;
use super::guard::Scheme;
use super::host::Host;
use super::token;
use super::token::Token;
use super::token::TokenError;
use super::token::Wanted;
use super::trouble;
use super::wallet::Held;
use crate::domain::registry::access::Access;
use crate::domain::registry::credential_source::CredentialSource;
use crate::ports::credential_reader::Credentials;
use crate::ports::registry_client::RegistryError;

/// What distinguishes answers: nothing that one learned may be told to another.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    host: u64,
    source: Option<CredentialSource>,
    repository: String,
}

/// A repository of a registry, asked with certain credentials.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) host: Arc<Host>,
    pub(super) key: Arc<Key>,
    image_registry: String,
}

/// What a request shows to the registry.
struct Pass {
    header: Option<HeaderValue>,
    token: Option<Token>,
    /// Whether the token was there before, so that it may have ended.
    is_used: bool,
    held: Option<Held>,
    /// What it is for.
    scheme: Option<Scheme>,
    /// Others wait for what this one finds out.
    _discovery: Option<OwnedMutexGuard<()>>,
}

/// How far a question has come in being let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// It shows what is known.
    Known,
    /// It shows what the registry asked for when it refused that.
    Renewed,
    /// It shows credentials that were read again.
    Reread,
}

/// Why there is no pass.
enum NoPass {
    Refused(String, Option<Held>),
    Other(RegistryError),
}

impl Target {
    pub(super) fn new(host: Arc<Host>, access: &Access) -> Self {
        let repository = access.image.repository().as_str();
        let namespace = host.endpoint.default_namespace.as_deref();
        let repository = match namespace.filter(|_| !repository.contains('/')) {
            Some(namespace) => format!("{namespace}/{repository}"),
            None => repository.to_owned(),
        };
        let source = access.credentials.clone();
        let key = Key {
            host: host.id,
            source: source.or_else(|| host.endpoint.credentials.clone()),
            repository,
        };
        Self {
            host,
            key: Arc::new(key),
            image_registry: access.image.registry().as_str().to_owned(),
        }
    }

    pub(super) fn repository(&self) -> &str {
        &self.key.repository
    }

    /// A request to the repository, for a path below its name.
    pub(super) fn request(
        &self,
        method: Method,
        below: &str,
        most: usize,
    ) -> Result<Outgoing, RegistryError> {
        let address = format!(
            "{}/v2/{}/{below}",
            self.host.endpoint.api,
            self.repository()
        );
        let url = Url::parse(&address).map_err(|error| {
            self.host
                .trouble
                .unavailable(format!("{address}: {error}"), None)
        })?;
        Ok(Outgoing {
            method,
            url,
            headers: HeaderMap::new(),
            form: None,
            most,
        })
    }

    /// Asks, and shows what the registry wants to see. An answer is neither 401 nor 403.
    pub(super) async fn ask(&self, outgoing: &Outgoing) -> Result<Reply, RegistryError> {
        let start = Instant::now();
        let mut effort = Effort::Known;
        loop {
            let (reason, pass) = match self.pass().await {
                Ok(pass) => {
                    let reply = self.show(outgoing, &pass).await?;
                    let is_challenge = reply.status == StatusCode::UNAUTHORIZED;
                    if !is_challenge && reply.status != StatusCode::FORBIDDEN {
                        return Ok(reply);
                    }
                    if let Some(elsewhere) = reply.led_to(&outgoing.url) {
                        return Err(self.refused_elsewhere(&reply, &elsewhere));
                    }
                    let is_told = is_challenge && self.host.guard.learn(&reply, &self.host.api);
                    self.forget_token(&pass);
                    let may_help = pass.is_used || pass.scheme != self.host.guard.scheme();
                    if is_told && may_help && effort == Effort::Known {
                        effort = Effort::Renewed;
                        continue;
                    }
                    (trouble::told(reply.status, &reply.body), pass.held)
                }
                Err(NoPass::Refused(reason, held)) => (reason, held),
                Err(NoPass::Other(error)) => return Err(error),
            };
            if !self.has_rotated(start, effort, pass).await? {
                return Err(self.denied(&reason));
            }
            effort = Effort::Reread;
        }
    }

    /// Whether there are other credentials than those that were refused, which are forgotten.
    async fn has_rotated(
        &self,
        start: Instant,
        effort: Effort,
        refused: Option<Held>,
    ) -> Result<bool, RegistryError> {
        let (Some(source), Some(refused)) = (&self.key.source, refused) else {
            return Ok(false);
        };
        self.host.guard.wallet.forget(source, &refused);
        if effort == Effort::Reread || refused.since >= start {
            return Ok(false);
        }
        let held = self.credentials(source).await?;
        Ok(held.credentials != refused.credentials)
    }

    fn forget_token(&self, pass: &Pass) {
        if let Some(token) = &pass.token {
            self.host.guard.forget_token(&self.key, token);
        }
    }

    async fn show(&self, outgoing: &Outgoing, pass: &Pass) -> Result<Reply, RegistryError> {
        let mut outgoing = outgoing.clone();
        if let Some(header) = &pass.header {
            outgoing.headers.insert(AUTHORIZATION, header.clone());
        }
        let reply = self.host.exchange(&outgoing).await?;
        if pass.header.is_none() && reply.status != StatusCode::UNAUTHORIZED {
            self.host.guard.is_open();
        }
        Ok(reply)
    }

    /// What to show, as far as it is known what the registry wants to see.
    async fn pass(&self) -> Result<Pass, NoPass> {
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

    async fn credentials(&self, source: &CredentialSource) -> Result<Held, RegistryError> {
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

    /// Of a host that a redirection led to. It got no credentials, so its refusal says nothing about them, and what it wants to see is not what
    /// the registry wants: it could name a token server of its own, to which the registry's password would go.
    fn refused_elsewhere(&self, reply: &Reply, elsewhere: &str) -> RegistryError {
        let told = trouble::told(reply.status, &reply.body);
        self.host
            .trouble
            .nonsense(format!("{told} by {elsewhere}, to which it redirects"))
    }

    fn denied(&self, told: &str) -> RegistryError {
        let shown = match &self.key.source {
            Some(source) => format!("with the credentials from {source}"),
            None => "without credentials, as none are configured".to_owned(),
        };
        let repository = self.repository();
        self.host
            .trouble
            .denied(format!("{told}, asked for {repository} {shown}"))
    }
}
