//! Manifests and blobs as they are, each checked against its digest.

use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::ACCEPT;
use http::header::CONTENT_TYPE;

use super::checksum;
use super::exchange::Outgoing;
use super::exchange::Reply;
use super::manifest;
use super::target::Target;
use super::trouble;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::question::Pointer;
use crate::ports::artifact_reader::RawManifest;
use crate::ports::registry_client::RegistryError;

/// What registries take at most for a manifest.
const MANIFEST_BYTES: usize = 4 << 20;
/// Where the digest of what is answered stands.
const CONTENT_DIGEST: &str = "docker-content-digest";

impl Target {
    /// What a tag points at now.
    pub(super) async fn digest(&self, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        let of = Pointer::Tag(tag.clone());
        let reply = self.ask(&self.manifest_request(Method::HEAD, &of)?).await?;
        let is_answered = match reply.status {
            StatusCode::OK => true,
            // Without a body nobody knows whose text it is.
            StatusCode::NOT_FOUND if trouble::is_from_elsewhere(&reply) => false,
            StatusCode::NOT_FOUND => return Ok(None),
            // There are registries that know no HEAD.
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => false,
            _ => return Err(self.unexpected(&reply)),
        };
        if let Some(digest) = said_digest(&reply).filter(|_| is_answered) {
            return Ok(Some(digest));
        }
        let manifest = self.raw_manifest(&of).await?;
        Ok(manifest.map(|manifest| manifest.digest))
    }

    /// A manifest or an index; `None` where there is none.
    pub(super) async fn raw_manifest(
        &self,
        of: &Pointer,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let reply = self.ask(&self.manifest_request(Method::GET, of)?).await?;
        match reply.status {
            StatusCode::OK => self.checked(of, reply).map(Some),
            StatusCode::NOT_FOUND => self.is_missing(&reply).map(|()| None),
            _ => Err(self.unexpected(&reply)),
        }
    }

    fn checked(&self, of: &Pointer, reply: Reply) -> Result<RawManifest, RegistryError> {
        let trouble = &self.host.trouble;
        let wanted = match of {
            Pointer::Digest(digest) => Some(digest.clone()),
            Pointer::Tag(_) => said_digest(&reply),
        };
        let digest = match wanted {
            Some(wanted) if !checksum::matches(&wanted, &reply.body) => {
                return Err(trouble.nonsense(format!("a manifest that is not {wanted}")));
            }
            Some(wanted) => wanted,
            None => {
                checksum::of(&reply.body).map_err(|error| trouble.nonsense(error.to_string()))?
            }
        };
        Ok(RawManifest {
            digest,
            media_type: reply.header(CONTENT_TYPE).unwrap_or_default().to_owned(),
            content: reply.body,
        })
    }

    /// A blob of at most so many bytes; `None` where there is none.
    pub(super) async fn raw_blob(
        &self,
        digest: &Digest,
        most: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let request = self.request(Method::GET, &format!("blobs/{digest}"), most)?;
        let reply = self.ask(&request).await?;
        match reply.status {
            StatusCode::OK if checksum::matches(digest, &reply.body) => Ok(Some(reply.body)),
            StatusCode::OK => Err(self
                .host
                .trouble
                .nonsense(format!("a blob that is not {digest}"))),
            StatusCode::NOT_FOUND => self.is_missing(&reply).map(|()| None),
            _ => Err(self.unexpected(&reply)),
        }
    }

    fn manifest_request(&self, method: Method, of: &Pointer) -> Result<Outgoing, RegistryError> {
        let below = format!("manifests/{}", of.as_str());
        let mut request = self.request(method, &below, MANIFEST_BYTES)?;
        let accepted = HeaderValue::from_static(manifest::ACCEPTED);
        request.headers.insert(ACCEPT, accepted);
        Ok(request)
    }

    /// # Errors
    /// [`RegistryError::Nonsense`] where it is not the registry that says that something is not there.
    pub(super) fn is_missing(&self, reply: &Reply) -> Result<(), RegistryError> {
        if trouble::is_from_elsewhere(reply) {
            let reason = "\"not found\" as no registry says it; check the address of its API";
            return Err(self.host.trouble.nonsense(reason));
        }
        Ok(())
    }

    pub(super) fn unexpected(&self, reply: &Reply) -> RegistryError {
        let told = trouble::told(reply.status, &reply.body);
        self.host.trouble.nonsense(told)
    }
}

fn said_digest(reply: &Reply) -> Option<Digest> {
    Digest::parse(reply.header(CONTENT_DIGEST)?.trim()).ok()
}
