//! Where an artifact keeps its signatures: the layers of a manifest, or the manifests of an index.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::adapters::cosign::bundle;
use crate::adapters::cosign::simple_signing;
use crate::adapters::cosign::unreadable::Unreadable;
use crate::domain::reference::Digest;

/// The artifact type of a signature as `cosign sign --registry-referrers-mode=oci-1-1` attaches one.
const SIGNATURE_ARTIFACT: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";

/// The configuration of an artifact that has none. There are registries that say this of a referrer instead of what kind of artifact it is,
/// cosign's own tests have one, and cosign looks at every referrer.
const NO_CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// What a manifest or an index leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// Layers that may be signatures; others are left out.
    Layers(Vec<Layer>),
    /// Manifests that may have such layers; others are left out.
    Index(Vec<Digest>),
}

/// A layer that may be a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its format.
    pub format: Format,
    /// Its content.
    pub digest: Digest,
    /// The signature of cosign's annotation.
    pub signature: Option<String>,
}

/// In which format a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// [`simple_signing`].
    SimpleSigning,
    /// [`bundle`].
    Bundle,
}

#[derive(Deserialize)]
struct Wire {
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Reads a manifest or an index.
///
/// # Errors
/// [`Unreadable`].
pub fn read(content: &[u8]) -> Result<Manifest, Unreadable> {
    let wire: Wire =
        serde_json::from_slice(content).map_err(|error| Unreadable::json("a manifest", &error))?;
    if let Some(manifests) = wire.manifests {
        let manifests = manifests.iter();
        return manifests
            .filter(|one| one.artifact_type.as_deref().is_none_or(may_sign))
            .map(|one| digest(&one.digest))
            .collect::<Result<_, _>>()
            .map(Manifest::Index);
    }
    let layers = wire.layers.into_iter().flatten();
    layers
        .filter_map(|layer| Some((format(&layer.media_type)?, layer)))
        .map(|(format, layer)| {
            let annotations = layer.annotations.as_ref();
            Ok(Layer {
                format,
                digest: digest(&layer.digest)?,
                signature: annotations
                    .and_then(|all| all.get(simple_signing::ANNOTATION))
                    .cloned(),
            })
        })
        .collect::<Result<_, _>>()
        .map(Manifest::Layers)
}

/// Whether artifacts of a type may be signatures.
#[must_use]
pub fn may_sign(artifact_type: &str) -> bool {
    [SIGNATURE_ARTIFACT, NO_CONFIG].contains(&artifact_type) || format(artifact_type).is_some()
}

fn format(media_type: &str) -> Option<Format> {
    match media_type {
        simple_signing::MEDIA_TYPE => Some(Format::SimpleSigning),
        bundle::MEDIA_TYPE => Some(Format::Bundle),
        _ => None,
    }
}

fn digest(text: &str) -> Result<Digest, Unreadable> {
    Digest::parse(text).map_err(|_| Unreadable::Digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let layer = json!({"layers": [{"mediaType": bundle::MEDIA_TYPE, "digest": "sha256:1"}]});
        assert_eq!(read(layer.to_string().as_bytes()), Err(Unreadable::Digest));
        let read = read(br#"{"layers": 1}"#);
        assert!(matches!(read, Err(Unreadable::Json { .. })), "{read:?}");
    }

    #[test]
    fn what_cannot_be_a_signature_is_left_out() {
        let name = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let layers = json!({"layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "of no matter"},
            {"mediaType": bundle::MEDIA_TYPE, "digest": name("1")},
            {"mediaType": simple_signing::MEDIA_TYPE, "digest": name("2"), "annotations": {simple_signing::ANNOTATION: "MAA="}},
            {"mediaType": simple_signing::MEDIA_TYPE, "digest": name("3"), "annotations": {"other": "MAA="}},
        ]});
        let layer = |format, digit: &str, signature: Option<&str>| Layer {
            format,
            digest: Digest::parse(&name(digit)).unwrap(),
            signature: signature.map(str::to_owned),
        };
        assert_eq!(
            read(layers.to_string().as_bytes()),
            Ok(Manifest::Layers(vec![
                layer(Format::Bundle, "1", None),
                layer(Format::SimpleSigning, "2", Some("MAA=")),
                layer(Format::SimpleSigning, "3", None),
            ]))
        );
        let entry = |digit: &str, kind: Option<&str>| json!({"mediaType": "m", "digest": name(digit), "artifactType": kind});
        let index = json!({"manifests": [
            entry("1", None),
            entry("2", Some("application/spdx+json")),
            entry("3", Some(bundle::MEDIA_TYPE)),
            entry("4", Some(SIGNATURE_ARTIFACT)),
            entry("5", Some(NO_CONFIG)),
        ], "layers": [{"mediaType": "x", "digest": "x"}]});
        let wanted = ["1", "3", "4", "5"].map(|digit| Digest::parse(&name(digit)).unwrap());
        assert_eq!(
            read(index.to_string().as_bytes()),
            Ok(Manifest::Index(wanted.to_vec()))
        );
        for empty in ["{}", r#"{"layers": null}"#, r#"{"layers": []}"#] {
            assert_eq!(read(empty.as_bytes()), Ok(Manifest::Layers(vec![])));
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(content in any::<Vec<u8>>(), digest in ".*") {
            let _ = read(&content);
            let layer = json!({"layers": [{"mediaType": bundle::MEDIA_TYPE, "digest": digest}]});
            let _ = read(layer.to_string().as_bytes());
        }
    }
}
