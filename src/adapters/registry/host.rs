//! One registry as it is asked: its connections, its turns, and what it wants to see.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use reqwest::Client;
use reqwest::Url;

use super::connection;
use super::connection::Redirections;
use super::doorway::Doorway;
use super::guard::Guard;
use super::timings::Timings;
use super::trouble::Trouble;
use crate::domain::registry::endpoint::Endpoint;
use crate::ports::credential_reader::CredentialReader;
use crate::ports::registry_client::RegistryError;
use crate::ports::registry_meter::RegistryMeter;

/// What all registries have in common.
pub(super) struct Means {
    pub(super) credentials: Arc<dyn CredentialReader>,
    pub(super) meter: Option<Arc<dyn RegistryMeter>>,
    pub(super) timings: Timings,
    /// Certificate authorities, each in a file that is called like the host that they are for.
    pub(super) certificates: PathBuf,
}

/// A registry.
pub(super) struct Host {
    /// Distinguishes what was learned here from what was learned under the same name with other settings.
    pub(super) id: u64,
    pub(super) endpoint: Endpoint,
    pub(super) api: Url,
    pub(super) client: Client,
    /// The file with authorities that the client was made with.
    authorities: Option<Vec<u8>>,
    /// A certificate was refused.
    pub(super) is_distrusted: AtomicBool,
    pub(super) doorway: Doorway,
    pub(super) guard: Guard,
    pub(super) means: Arc<Means>,
    pub(super) trouble: Trouble,
    /// It does not take a size of pages.
    pub(super) has_own_pages: AtomicBool,
}

impl Host {
    /// # Errors
    /// [`RegistryError::Unavailable`] where the settings of the registry cannot be used, which may be the case later.
    pub(super) fn new(endpoint: Endpoint, means: Arc<Means>) -> Result<Self, RegistryError> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let name = if endpoint.name.is_empty() {
            &endpoint.api
        } else {
            &endpoint.name
        };
        let trouble = Trouble::at(name);
        let failed = |reason: String| trouble.unavailable(reason, None);
        let api = Url::parse(&endpoint.api)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| failed(format!("{:?} is no address of an API", endpoint.api)))?;
        // Read before: where it changes in between, the client is only made once more.
        let authorities = connection::authorities(&api, &endpoint.trust, &means);
        let client = connection::client(&api, &endpoint.trust, &means, Redirections::Followed)
            .map_err(failed)?;
        Ok(Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            doorway: Doorway::new(endpoint.limit),
            guard: Guard::new(),
            has_own_pages: AtomicBool::new(false),
            is_distrusted: AtomicBool::new(false),
            authorities,
            endpoint,
            api,
            client,
            means,
            trouble,
        })
    }

    /// Whether it refuses certificates by authorities that are others by now.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_distrusted.load(Ordering::Relaxed)
            && connection::authorities(&self.api, &self.endpoint.trust, &self.means)
                != self.authorities
    }

    /// Its host and port, as they stand in a Docker configuration.
    pub(super) fn authority(&self) -> String {
        let host = self.api.host_str().unwrap_or_default();
        match self.api.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}
