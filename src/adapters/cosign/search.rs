//! The search for a signature in a registry.

use std::collections::BTreeSet;

use crate::adapters::cosign::bundle;
use crate::adapters::cosign::candidate::Candidate;
use crate::adapters::cosign::candidate::Claim;
use crate::adapters::cosign::manifest;
use crate::adapters::cosign::manifest::Format;
use crate::adapters::cosign::manifest::Layer;
use crate::adapters::cosign::manifest::Manifest;
use crate::adapters::cosign::public_key::PublicKey;
use crate::adapters::cosign::simple_signing;
use crate::adapters::cosign::tally::Tally;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::question::Pointer;
use crate::ports::artifact_reader::ArtifactReader;
use crate::ports::registry_client::RegistryError;

/// The most manifests that are asked for. Whoever may push can attach any number.
const MAX_MANIFESTS: usize = 32;
/// The most layers that are asked for, each of at most a mebibyte.
const MAX_LAYERS: usize = 64;
/// The most signatures of one envelope that are verified.
const MAX_SIGNATURES: usize = 16;
/// The most digits of a digest in the tag of its attachments.
const MAX_DIGITS: usize = 64;

/// What came of a search.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There is a signature.
    Signed,
    /// There is none.
    Unsigned(Tally),
}

/// A search for a signature of a digest by a key.
pub(super) struct Search<'a> {
    reader: &'a dyn ArtifactReader,
    access: &'a Access,
    digest: &'a Digest,
    key: &'a PublicKey,
    seen: BTreeSet<Digest>,
    manifests: usize,
    layers: usize,
    tally: Tally,
    /// The first answer that could not be used. It may have hidden a signature.
    unknown: Option<RegistryError>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        reader: &'a dyn ArtifactReader,
        access: &'a Access,
        digest: &'a Digest,
        key: &'a PublicKey,
    ) -> Self {
        Self {
            reader,
            access,
            digest,
            key,
            seen: BTreeSet::new(),
            manifests: 0,
            layers: 0,
            tally: Tally::default(),
            unknown: None,
        }
    }

    /// Looks among the referrers, then under the tags of older versions of cosign.
    ///
    /// # Errors
    /// Where the registry left open whether there is one.
    pub(super) async fn run(mut self) -> Result<Outcome, RegistryError> {
        if self.among_referrers().await? || self.under_tags().await? {
            return Ok(Outcome::Signed);
        }
        match self.unknown {
            Some(error) => Err(error),
            None => Ok(Outcome::Unsigned(self.tally)),
        }
    }

    async fn among_referrers(&mut self) -> Result<bool, RegistryError> {
        let referrers = match self.reader.referrers(self.access, self.digest).await {
            Ok(referrers) => referrers,
            // Registries that know nothing of referrers answer in many ways, and the tags may still hold a signature.
            Err(error) => {
                self.unknown.get_or_insert(error);
                return Ok(false);
            }
        };
        let signing = referrers.into_iter().filter(|referrer| {
            let kind = referrer.artifact_type.as_deref();
            kind.is_some_and(manifest::may_sign)
        });
        let digests: Vec<_> = signing.map(|referrer| referrer.digest).collect();
        self.among(digests).await
    }

    async fn under_tags(&mut self) -> Result<bool, RegistryError> {
        for tag in tags(self.digest) {
            let found = match self.manifest(&Pointer::Tag(tag)).await? {
                Some(Manifest::Layers(layers)) => self.in_layers(&layers).await?,
                Some(Manifest::Index(manifests)) => self.among(manifests).await?,
                None => false,
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn among(&mut self, manifests: Vec<Digest>) -> Result<bool, RegistryError> {
        for digest in manifests {
            // An index in an index is nothing that cosign makes.
            if let Some(Manifest::Layers(layers)) = self.manifest(&Pointer::Digest(digest)).await?
                && self.in_layers(&layers).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A manifest that was not looked at yet.
    async fn manifest(&mut self, of: &Pointer) -> Result<Option<Manifest>, RegistryError> {
        let named = match of {
            Pointer::Digest(digest) if !self.seen.insert(digest.clone()) => return Ok(None),
            Pointer::Digest(_) => true,
            Pointer::Tag(_) => false,
        };
        if self.manifests == MAX_MANIFESTS {
            self.tally.cut = true;
            return Ok(None);
        }
        self.manifests += 1;
        let answer = self.reader.manifest(self.access, of).await;
        let Some(raw) = self.usable(answer)? else {
            return Ok(None);
        };
        let Some(raw) = raw else {
            self.tally.missing += usize::from(named);
            return Ok(None);
        };
        if !named && !self.seen.insert(raw.digest) {
            return Ok(None);
        }
        match manifest::read(&raw.content) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(why) => {
                self.tally.add_unreadable(why);
                Ok(None)
            }
        }
    }

    async fn in_layers(&mut self, layers: &[Layer]) -> Result<bool, RegistryError> {
        for layer in layers {
            if self.layers == MAX_LAYERS {
                self.tally.cut = true;
                return Ok(false);
            }
            self.layers += 1;
            let answer = self.reader.blob(self.access, &layer.digest).await;
            let Some(blob) = self.usable(answer)? else {
                continue;
            };
            let Some(blob) = blob else {
                self.tally.missing += 1;
                continue;
            };
            if self.signs(layer, blob) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn signs(&mut self, layer: &Layer, blob: Vec<u8>) -> bool {
        let candidate = match layer.format {
            Format::SimpleSigning => simple_signing::read(blob, layer.signature.as_deref()),
            Format::Bundle => bundle::read(&blob),
        };
        match candidate {
            Ok(candidate) => self.accepts(&candidate),
            Err(why) => {
                self.tally.add_unreadable(why);
                false
            }
        }
    }

    fn accepts(&mut self, candidate: &Candidate) -> bool {
        let Claim::Signs(digests) = &candidate.claim else {
            self.tally.attestations += 1;
            return false;
        };
        self.tally.signatures += 1;
        let mut signatures = candidate.signatures.iter().take(MAX_SIGNATURES);
        if !signatures.any(|signature| self.key.made(signature, &candidate.message)) {
            return false;
        }
        let is_of_this = digests.iter().any(|digest| digest == self.digest.as_str());
        self.tally.of_another_digest += usize::from(!is_of_this);
        is_of_this
    }

    /// An answer, if it can be used. What one artifact's pusher spoiled must not hide the signature of another; a registry that does not
    /// answer is not asked on.
    fn usable<T>(&mut self, answer: Result<T, RegistryError>) -> Result<Option<T>, RegistryError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ RegistryError::Nonsense { .. }) => {
                self.unknown.get_or_insert(error);
                Ok(None)
            }
            Err(
                error @ (RegistryError::Missing { .. }
                | RegistryError::Denied { .. }
                | RegistryError::Credentials { .. }
                | RegistryError::Unavailable { .. }),
            ) => Err(error),
        }
    }
}

/// The tags under which signatures of a digest are: that of the referrers tag schema, and cosign's own.
fn tags(digest: &Digest) -> Vec<Tag> {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or_default();
    let short = &hex[..hex.len().min(MAX_DIGITS)];
    [
        format!("{algorithm}-{short}"),
        // cosign cuts nothing, so that there is no such tag for longer digests.
        format!("{algorithm}-{hex}.sig"),
    ]
    .iter()
    .filter_map(|tag| Tag::parse(tag).ok())
    .collect()
}
