//! Signatures of [cosign](https://docs.sigstore.dev/cosign/verifying/verify/) by a public key, read from the registry in which the image is.
//!
//! What is not looked at: certificates and the transparency log. Whoever holds the private key signed the image, or nobody did.

use std::sync::Arc;

use async_trait::async_trait;

use crate::adapters::cosign::public_key::PublicKey;
use crate::adapters::cosign::search::Outcome;
use crate::adapters::cosign::search::Search;
use crate::domain::reference::Digest;
use crate::domain::registry::access::Access;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::ports::artifact_reader::ArtifactReader;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::secret_reader::SecretReader;
use crate::ports::signature_verifier::SignatureVerifier;
use crate::ports::signature_verifier::VerifyError;

pub mod bundle;
pub mod candidate;
pub mod manifest;
pub mod public_key;
pub mod simple_signing;
pub mod unreadable;

mod search;
mod tally;

#[cfg(test)]
mod tests;

/// Verifies cosign's signatures.
pub struct CosignVerifier {
    registry: Arc<dyn ArtifactReader>,
    secrets: Arc<dyn SecretReader>,
}

impl CosignVerifier {
    /// Reads signatures from registries and keys from Secrets.
    #[must_use]
    pub fn new(registry: Arc<dyn ArtifactReader>, secrets: Arc<dyn SecretReader>) -> Self {
        Self { registry, secrets }
    }

    async fn key(&self, namespace: &str, at: &SecretKeyRef) -> Result<PublicKey, VerifyError> {
        let text = self
            .secrets
            .field(namespace, &at.secret_name, &at.key)
            .await
            .map_err(|error| match error {
                SecretReadError::Unavailable { .. } => {
                    VerifyError::KeyUnavailable(error.to_string())
                }
                SecretReadError::Absent { .. }
                | SecretReadError::NoField { .. }
                | SecretReadError::Forbidden { .. } => VerifyError::Key(error.to_string()),
            })?;
        PublicKey::parse(&text).map_err(|why| {
            VerifyError::Key(format!(
                "Secret {namespace}/{} has no usable key in field {:?}: {why}",
                at.secret_name, at.key
            ))
        })
    }
}

#[async_trait]
impl SignatureVerifier for CosignVerifier {
    async fn verify(
        &self,
        access: &Access,
        digest: &Digest,
        namespace: &str,
        key: &SecretKeyRef,
    ) -> Result<(), VerifyError> {
        let public_key = self.key(namespace, key).await?;
        let search = Search::new(&*self.registry, access, digest, &public_key);
        match search.run().await? {
            Outcome::Signed => Ok(()),
            Outcome::Unsigned(tally) => Err(VerifyError::Unsigned(format!(
                "{}@{} is not signed with the key of Secret {namespace}/{}: {tally}",
                access.image,
                digest.as_str(),
                key.secret_name
            ))),
        }
    }
}
