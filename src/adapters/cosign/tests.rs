//! Signatures made as cosign makes them, in a registry of the tests' own.

mod keys;
mod secrets;
mod signer;

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha512;

use self::signer::Signer;
use super::*;
use crate::domain::reference::ImageName;
use crate::domain::registry::question::Pointer;
use crate::ports::artifact_reader::RawManifest;
use crate::ports::artifact_reader::Referrer;
use crate::ports::registry_client::RegistryError;
use crate::ports::secret_reader::MockSecretReader;

fn payload(digest: &Digest) -> Vec<u8> {
    json!({"critical": {
        "identity": {"docker-reference": "r.example/app"},
        "image": {"docker-manifest-digest": digest.as_str()},
        "type": "cosign container image signature",
    }, "optional": null})
    .to_string()
    .into_bytes()
}

fn statement(digest: &Digest, predicate_type: &str) -> Value {
    let hex = digest.as_str().trim_start_matches("sha256:");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": "00"}}, {"digest": {"sha256": hex}}],
        "predicateType": predicate_type,
        "predicate": {},
    })
}

#[derive(Default)]
struct Shelf {
    referrers: Vec<Referrer>,
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    referrers_fail: Option<RegistryError>,
}

impl Shelf {
    fn layer(&mut self, media_type: &str, blob: &[u8], signature: Option<String>) -> Value {
        let digest = digest_of(blob);
        self.blobs.insert(digest.clone(), blob.to_vec());
        let annotations = signature.map(|text| json!({simple_signing::ANNOTATION: text}));
        json!({"mediaType": media_type, "digest": digest.as_str(), "annotations": annotations})
    }

    fn signed_layer(&mut self, signer: &Signer, payload: &[u8]) -> Value {
        let signature = signer.sign(payload);
        self.layer(simple_signing::MEDIA_TYPE, payload, Some(signature))
    }

    fn put(&mut self, manifest: &Value) -> Digest {
        let content = manifest.to_string().into_bytes();
        let digest = digest_of(&content);
        self.manifests.insert(digest.as_str().to_owned(), content);
        digest
    }

    fn tag(&mut self, suffix: &str, manifest: &Value) {
        let tag = image().as_str().replace(':', "-") + suffix;
        self.manifests
            .insert(tag, manifest.to_string().into_bytes());
    }

    fn refer(&mut self, bundle: &[u8]) {
        let layer = self.layer(bundle::MEDIA_TYPE, bundle, None);
        let digest = self.put(&json!({"layers": [layer]}));
        self.referrers.push(Referrer {
            digest,
            artifact_type: Some(bundle::MEDIA_TYPE.to_owned()),
        });
    }

    async fn verify(self, signer: &Signer) -> Result<(), VerifyError> {
        self.verify_with(signer.pem()).await
    }

    async fn verify_with(self, text: Vec<u8>) -> Result<(), VerifyError> {
        self.verify_of(&image(), text).await
    }

    async fn verify_of(self, digest: &Digest, text: Vec<u8>) -> Result<(), VerifyError> {
        let mut secrets = MockSecretReader::new();
        secrets
            .expect_field()
            .withf(|namespace, name, field| (namespace, name, field) == ("apps", "cosign", "k.pub"))
            .returning(move |_, _, _| Ok(text.clone()));
        let access = Access::plain(ImageName::parse("r.example/app").unwrap());
        let key = SecretKeyRef {
            secret_name: "cosign".to_owned(),
            key: "k.pub".to_owned(),
        };
        let verifier = CosignVerifier::new(Arc::new(self), Arc::new(secrets));
        verifier.verify(&access, digest, "apps", &key).await
    }
}

#[async_trait]
impl ArtifactReader for Shelf {
    async fn referrers(&self, _: &Access, _: &Digest) -> Result<Vec<Referrer>, RegistryError> {
        self.referrers_fail
            .clone()
            .map_or_else(|| Ok(self.referrers.clone()), Err)
    }

    async fn manifest(
        &self,
        _: &Access,
        of: &Pointer,
    ) -> Result<Option<RawManifest>, RegistryError> {
        Ok(self.manifests.get(of.as_str()).map(|content| RawManifest {
            digest: digest_of(content),
            media_type: String::new(),
            content: content.clone(),
        }))
    }

    async fn blob(&self, _: &Access, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(self.blobs.get(digest).cloned())
    }
}

fn digest_of(content: &[u8]) -> Digest {
    Digest::parse(&format!("sha256:{}", hex::encode(Sha256::digest(content)))).unwrap()
}

fn image() -> Digest {
    digest_of(b"the image")
}

fn unsigned(result: Result<(), VerifyError>) -> String {
    match result {
        Err(VerifyError::Unsigned(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn simple_signing_counts_in_any_layer() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    let mut shelf = Shelf::default();
    let layers = [
        shelf.layer(simple_signing::MEDIA_TYPE, b"{}", None),
        shelf.signed_layer(&theirs, &payload(&image())),
        shelf.signed_layer(&ours, &payload(&image())),
    ];
    shelf.tag(".sig", &json!({"layers": layers}));
    assert_eq!(shelf.verify(&ours).await, Ok(()));
}

#[tokio::test]
async fn a_bundle_counts_among_referrers_and_in_an_index_under_the_tag() {
    let signer = Signer::new();
    let bundle = signer.bundle(&statement(&image(), bundle::SIGN));
    let mut shelf = Shelf::default();
    shelf.refer(&bundle);
    assert_eq!(shelf.verify(&signer).await, Ok(()));

    let mut shelf = Shelf::default();
    let layer = shelf.layer(bundle::MEDIA_TYPE, &bundle, None);
    let manifest = shelf.put(&json!({"layers": [layer]}));
    let entry = json!({"mediaType": "x", "digest": manifest.as_str()});
    shelf.tag("", &json!({"manifests": [entry]}));
    assert_eq!(shelf.verify(&signer).await, Ok(()));
}

/// As in cosign: neither what the payload says that it is nor the name in it is compared, as the same image may have many names.
#[tokio::test]
async fn the_digest_alone_says_which_image_is_signed() {
    let signer = Signer::new();
    for (kind, name) in [
        ("atomic container signature", "r.example/app"),
        (
            "cosign container image signature",
            "elsewhere.example/other",
        ),
    ] {
        let said = json!({"critical": {
            "identity": {"docker-reference": name},
            "image": {"docker-manifest-digest": image().as_str()},
            "type": kind,
        }});
        let mut shelf = Shelf::default();
        let layer = shelf.signed_layer(&signer, said.to_string().as_bytes());
        shelf.tag(".sig", &json!({"layers": [layer]}));
        assert_eq!(shelf.verify(&signer).await, Ok(()), "{kind} {name}");
    }
}

/// The tag of its referrers has the first digits of it, and for cosign's own tag it is too long.
#[tokio::test]
async fn an_image_with_a_digest_of_sha512_is_found_and_verified() {
    let signer = Signer::new();
    let hex = hex::encode(Sha512::digest(b"the image"));
    let digest = Digest::parse(&format!("sha512:{hex}")).unwrap();
    let tag = format!("sha512-{}", &hex[..64]);
    let mut other = hex.clone();
    other.replace_range(127.., if hex.ends_with('0') { "1" } else { "0" });
    for (signed, is_found) in [(&hex, true), (&other, false)] {
        let said = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha512": signed}}],
            "predicateType": bundle::SIGN,
        });
        let bundle = signer.bundle(&said);
        let tagged = || {
            let mut shelf = Shelf::default();
            let layer = shelf.layer(bundle::MEDIA_TYPE, &bundle, None);
            let manifest = json!({"layers": [layer]}).to_string().into_bytes();
            shelf.manifests.insert(tag.clone(), manifest);
            shelf
        };
        let referring = || {
            let mut shelf = Shelf::default();
            shelf.refer(&bundle);
            shelf
        };
        for shelf in [tagged(), referring()] {
            let found = shelf.verify_of(&digest, signer.pem()).await;
            if is_found {
                assert_eq!(found, Ok(()));
            } else {
                let text = unsigned(found);
                assert!(text.contains("by this key (1) sign another"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn another_key_another_digest_and_an_attestation_sign_nothing() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    let text = unsigned(Shelf::default().verify(&ours).await);
    assert!(text.contains("no signature of cosign"), "{text}");

    let mut shelf = Shelf::default();
    shelf.refer(&theirs.bundle(&statement(&image(), bundle::SIGN)));
    let text = unsigned(shelf.verify(&ours).await);
    assert!(text.contains("1 signature, which is not by"), "{text}");

    let other = digest_of(b"another image");
    let mut shelf = Shelf::default();
    shelf.refer(&ours.bundle(&statement(&other, bundle::SIGN)));
    let layer = shelf.signed_layer(&ours, &payload(&other));
    shelf.tag(".sig", &json!({"layers": [layer]}));
    let text = unsigned(shelf.verify(&ours).await);
    assert!(text.contains("by this key (2) sign another"), "{text}");

    let mut shelf = Shelf::default();
    shelf.refer(&ours.bundle(&statement(&image(), "https://slsa.dev/provenance/v1")));
    let text = unsigned(shelf.verify(&ours).await);
    assert!(text.contains("attestations sign no image"), "{text}");
}

#[tokio::test]
async fn a_changed_payload_is_not_what_was_signed() {
    let signer = Signer::new();
    let mut shelf = Shelf::default();
    let signature = signer.sign(&payload(&digest_of(b"another image")));
    let changed = payload(&image());
    let layer = shelf.layer(simple_signing::MEDIA_TYPE, &changed, Some(signature));
    shelf.tag(".sig", &json!({"layers": [layer]}));
    let text = unsigned(shelf.verify(&signer).await);
    assert!(text.contains("not by this key"), "{text}");
}

#[tokio::test]
async fn a_hostile_number_of_artifacts_is_cut() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    let mut shelf = Shelf::default();
    for _ in 0..40 {
        // No two signatures of ECDSA are the same.
        shelf.refer(&theirs.bundle(&statement(&image(), bundle::SIGN)));
    }
    let text = unsigned(shelf.verify(&ours).await);
    assert!(text.contains("32 signatures"), "{text}");
    assert!(text.contains("not looked at"), "{text}");
}

#[tokio::test]
async fn referrers_that_fail_hide_no_tag_and_prove_nothing() {
    let signer = Signer::new();
    let error = RegistryError::Nonsense {
        registry: "r.example".to_owned(),
        reason: "x".to_owned(),
    };
    let failing = || Shelf {
        referrers_fail: Some(error.clone()),
        ..Shelf::default()
    };
    let nobody_knows = Err(VerifyError::Registry(error.clone()));
    assert_eq!(failing().verify(&signer).await, nobody_knows);
    let mut shelf = failing();
    let layer = shelf.signed_layer(&signer, &payload(&image()));
    shelf.tag(".sig", &json!({"layers": [layer]}));
    assert_eq!(shelf.verify(&signer).await, Ok(()));
}

#[tokio::test]
async fn an_unusable_key_is_said_and_never_shown() {
    for (kind, hint) in [
        ("EC PRIVATE KEY", "private key"),
        ("PUBLIC KEY", "P-256, P-384 or P-521"),
        ("OTHER", "BEGIN PUBLIC KEY"),
    ] {
        let key = format!("-----BEGIN {kind}-----\nc2VjcmV0\n-----END {kind}-----\n");
        let result = Shelf::default().verify_with(key.into_bytes()).await;
        let Err(VerifyError::Key(text)) = result else {
            panic!("{result:?}");
        };
        assert!(text.contains(hint), "{text}");
        assert!(!text.contains("c2VjcmV0"), "{text}");
    }
}

/// A signature that cosign made, of an image of the Kubewarden project, with the key of its certificate, from the tests of
/// [sigstore-rs](https://github.com/sigstore/sigstore-rs).
#[test]
fn what_cosign_signed_verifies() {
    let key = b"-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg17BAFLV/gCY0gQ10v5T8cmi0xIz\n\
        tk2eROdh5/HBX1MSum+cBnT4PMvJ8ABVp4m0qMW9s5NvwXXKEkVTRdj5GA==\n\
        -----END PUBLIC KEY-----";
    let layer = r#"{"critical":{"identity":{"docker-reference":"registry-testing.svc.lan/kubewarden/disallow-service-nodeport"},"image":{"docker-manifest-digest":"sha256:5f481572d088dc4023afb35fced9530ced3d9b03bf7299c6f492163cb9f0452e"},"type":"cosign container image signature"},"optional":null}"#;
    let annotation = "MEUCIGqWScz7s9aP2sGXNFKeqivw3B6kPRs56AITIHnvd5igAiEA1kzbaV2Y5yPE81EN92NUFOl31LLJSvwsjFQ07m2XqaA=";
    let candidate = simple_signing::read(layer.as_bytes().to_vec(), Some(annotation)).unwrap();
    let key = PublicKey::parse(key).unwrap();
    assert!(key.made(&candidate.signatures[0], &candidate.message));
    assert!(!key.made(&candidate.signatures[0], &candidate.message[1..]));
}
