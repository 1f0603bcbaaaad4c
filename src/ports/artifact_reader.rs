//! Reading what a registry holds, as it is.

use async_trait::async_trait;

use crate::domain::reference::Digest;
use crate::domain::registry::access::Access;
use crate::domain::registry::question::Pointer;
use crate::ports::registry_client::RegistryError;

/// Reads manifests and blobs. Whatever is named by a digest was checked against it.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ArtifactReader: Send + Sync {
    /// What [refers](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers) to a manifest; nothing where
    /// the registry does not know of referrers.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn referrers(
        &self,
        access: &Access,
        digest: &Digest,
    ) -> Result<Vec<Referrer>, RegistryError>;

    /// A manifest or an index; `None` where the registry answers that it does not have it.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn manifest(
        &self,
        access: &Access,
        of: &Pointer,
    ) -> Result<Option<RawManifest>, RegistryError>;

    /// A blob of at most a mebibyte; `None` where the registry answers that it does not have it.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn blob(
        &self,
        access: &Access,
        digest: &Digest,
    ) -> Result<Option<Vec<u8>>, RegistryError>;
}

/// An artifact that refers to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// What kind of artifact it is, if it says.
    pub artifact_type: Option<String>,
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    /// Its digest, reckoned from the content.
    pub digest: Digest,
    /// Its media type, as the registry says.
    pub media_type: String,
    /// The content.
    pub content: Vec<u8>,
}
