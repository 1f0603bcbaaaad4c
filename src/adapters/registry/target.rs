//! A repository of a registry, asked with certain credentials.

use std::sync::Arc;

use http::HeaderMap;
use http::Method;
use http::StatusCode;
use http::header::AUTHORIZATION;
use reqwest::Url;
use tokio::time::Instant;

use super::exchange::Outgoing;
use super::exchange::Reply;
use super::host::Host;
use super::pass::NoPass;
use super::pass::Pass;
use super::trouble;
use super::wallet::Held;
use crate::domain::registry::access::Access;
use crate::domain::registry::credential_source::CredentialSource;
use crate::ports::registry_client::RegistryError;

/// What distinguishes answers: nothing that one learned may be told to another.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    host: u64,
    pub(super) source: Option<CredentialSource>,
    pub(super) repository: String,
}

/// A repository of a registry, asked with certain credentials.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) host: Arc<Host>,
    pub(super) key: Arc<Key>,
    pub(super) image_registry: String,
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
