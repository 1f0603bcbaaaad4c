//! Registries, asked by the [distribution API](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md): HTTP by reqwest, TLS by
//! rustls.
//!
//! A question becomes a `target`: a repository, and the credentials with which it is asked. Its requests go through the `doorway` of their
//! host, show what the `guard` knows that is wanted, and are repeated by `exchange` where the registry cannot answer. `once` sees to it
//! that nothing is asked twice at a time, `learned` that what cannot change is not asked twice at all.

mod builds;
pub mod challenge;
mod checksum;
mod connection;
mod content;
mod doorway;
mod exchange;
mod guard;
mod host;
pub mod image_config;
mod kept;
mod learned;
pub mod link;
mod listing;
pub mod manifest;
mod once;
mod pass;
pub mod referrers;
pub mod retry_after;
pub mod tag_page;
mod tags;
mod target;
pub mod timings;
mod token;
mod trouble;
mod wallet;

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::time::timeout;

use self::builds::Builds;
use self::exchange::locked;
use self::host::Host;
use self::host::Means;
use self::learned::Learned;
use self::learned::Named;
use self::once::Once;
use self::target::Key;
use self::target::Target;
use self::timings::Timings;
use self::trouble::Trouble;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::endpoint::Endpoint;
use crate::domain::registry::endpoint::Registries;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Pointer;
use crate::ports::artifact_reader::ArtifactReader;
use crate::ports::artifact_reader::RawManifest;
use crate::ports::artifact_reader::Referrer;
use crate::ports::credential_reader::CredentialReader;
use crate::ports::registry_client::RegistryClient;
use crate::ports::registry_client::RegistryError;
use crate::ports::registry_meter::RegistryMeter;

/// The longest blob that is read for others, in bytes.
const BLOB_BYTES: usize = 1 << 20;

/// Where certificate authorities of registries are mounted, as for the Go program.
pub const CERTIFICATES: &str = "/app/config/tls";

/// What the client needs.
pub struct Setup {
    /// Which registries there are.
    pub registries: Registries,
    /// Where credentials are had.
    pub credentials: Arc<dyn CredentialReader>,
    /// A folder with certificate authorities, each in a file that is called like the host of the API that it is for; usually [`CERTIFICATES`].
    pub certificates: PathBuf,
    /// Who counts requests.
    pub meter: Option<Arc<dyn RegistryMeter>>,
    /// How long things may take.
    pub timings: Timings,
}

/// The client of all registries.
pub struct HttpRegistries {
    registries: ArcSwap<Registries>,
    /// By prefix: with other settings a registry is another.
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    means: Arc<Means>,
    learned: Arc<Learned>,
    listing: Once<Arc<Key>, Result<TagList, RegistryError>>,
    pointing: Once<Named<Tag>, Result<Option<Digest>, RegistryError>>,
    building: Once<Named<BuildQuestion>, Result<Option<Build>, RegistryError>>,
}

impl HttpRegistries {
    /// A client that has asked nothing yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let learned = Learned::new(&setup.timings);
        Self {
            registries: ArcSwap::from_pointee(setup.registries),
            hosts: Mutex::new(HashMap::new()),
            means: Arc::new(Means {
                credentials: setup.credentials,
                meter: setup.meter,
                timings: setup.timings,
                certificates: setup.certificates,
            }),
            learned: Arc::new(learned),
            listing: Once::new(),
            pointing: Once::new(),
            building: Once::new(),
        }
    }

    /// Takes up which registries there are now. What has not changed keeps its connections, its tokens and its turns.
    pub fn replace(&self, registries: Registries) {
        let before = self.registries.swap(Arc::new(registries));
        let now = self.registries.load();
        let all = |registries: &Registries| -> HashSet<String> {
            let all = registries.all().iter();
            all.map(|endpoint| endpoint.prefix.clone()).collect()
        };
        // Those that nobody described stay; another under the same name takes its place when it is asked.
        let (before, now) = (all(&before), all(&now));
        locked(&self.hosts).retain(|prefix, _| now.contains(prefix) || !before.contains(prefix));
    }

    /// Whom to ask for an image, and as whom.
    fn target(&self, access: &Access) -> Result<Target, RegistryError> {
        let endpoint = self.registries.load().endpoint_of(&access.image);
        Ok(Target::new(self.host(endpoint)?, access))
    }

    fn host(&self, endpoint: Endpoint) -> Result<Arc<Host>, RegistryError> {
        let mut hosts = locked(&self.hosts);
        let known = hosts.get(&endpoint.prefix);
        let is_it = |host: &&Arc<Host>| host.endpoint == endpoint && !host.is_outdated();
        if let Some(host) = known.filter(is_it) {
            return Ok(Arc::clone(host));
        }
        let prefix = endpoint.prefix.clone();
        let host = Arc::new(Host::new(endpoint, Arc::clone(&self.means))?);
        hosts.insert(prefix, Arc::clone(&host));
        Ok(host)
    }

    fn builds(&self, access: &Access) -> Result<Builds, RegistryError> {
        Ok(Builds {
            target: self.target(access)?,
            learned: Arc::clone(&self.learned),
        })
    }

    fn limit(&self) -> Duration {
        self.means.timings.question
    }
}

/// The answer, within the longest time that a question may take.
async fn within<A>(
    limit: Duration,
    trouble: Trouble,
    asking: impl Future<Output = Result<A, RegistryError>>,
) -> Result<A, RegistryError> {
    timeout(limit, asking).await.unwrap_or_else(|_| {
        let reason = format!("there was no answer within {} seconds", limit.as_secs());
        Err(trouble.unavailable(reason, None))
    })
}

#[async_trait]
impl RegistryClient for HttpRegistries {
    async fn tags(&self, access: &Access) -> Result<TagList, RegistryError> {
        let Builds { target, learned } = self.builds(access)?;
        let key = Arc::clone(&target.key);
        let (limit, trouble) = (self.limit(), target.host.trouble.clone());
        let asking = || async move { within(limit, trouble, tags::list(&target, &learned)).await };
        self.listing.ask(&key, asking).await
    }

    async fn digest(&self, access: &Access, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        let builds = self.builds(access)?;
        let question = (Arc::clone(&builds.target.key), tag.clone());
        let (limit, trouble) = (self.limit(), builds.target.host.trouble.clone());
        let tag = tag.clone();
        let asking = || async move { within(limit, trouble, builds.digest(&tag)).await };
        self.pointing.ask(&question, asking).await
    }

    async fn build(
        &self,
        access: &Access,
        question: &BuildQuestion,
    ) -> Result<Option<Build>, RegistryError> {
        let builds = self.builds(access)?;
        let key = (Arc::clone(&builds.target.key), question.clone());
        let (limit, trouble) = (self.limit(), builds.target.host.trouble.clone());
        let question = question.clone();
        let asking = || async move { within(limit, trouble, builds.build(&question)).await };
        self.building.ask(&key, asking).await
    }
}

#[async_trait]
impl ArtifactReader for HttpRegistries {
    async fn referrers(
        &self,
        access: &Access,
        digest: &Digest,
    ) -> Result<Vec<Referrer>, RegistryError> {
        let target = self.target(access)?;
        let trouble = target.host.trouble.clone();
        within(self.limit(), trouble, target.referrers(digest)).await
    }

    async fn manifest(
        &self,
        access: &Access,
        of: &Pointer,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let target = self.target(access)?;
        let trouble = target.host.trouble.clone();
        within(self.limit(), trouble, target.raw_manifest(of)).await
    }

    async fn blob(
        &self,
        access: &Access,
        digest: &Digest,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let target = self.target(access)?;
        let trouble = target.host.trouble.clone();
        within(self.limit(), trouble, target.raw_blob(digest, BLOB_BYTES)).await
    }
}
