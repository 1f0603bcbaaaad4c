//! Signatures as cosign makes them, pushed to a registry as cosign pushes them. Tests include this file by its path.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image_updater::domain::reference::Digest;
use serde_json::Value;
use serde_json::json;

use crate::registry::Pusher;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a layer that is signed simply.
pub(crate) const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The media type of a bundle.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The predicate of `cosign sign`.
pub(crate) const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// Who has a private key.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    /// Makes a key.
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// What `cosign public-key` prints.
    pub(crate) fn public_key(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        let body = BASE64_STANDARD.encode(der.as_ref());
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    fn sign(&self, message: &[u8]) -> String {
        let signature = self.0.sign(&SystemRandom::new(), message).unwrap();
        BASE64_STANDARD.encode(signature.as_ref())
    }

    /// What `cosign sign --new-bundle-format=false` signs, and the signature.
    pub(crate) fn simply(&self, image: &Digest) -> (String, String) {
        let payload = json!({"critical": {
            "identity": {"docker-reference": "registry.example.com/acme/app"},
            "image": {"docker-manifest-digest": image.as_str()},
            "type": "cosign container image signature",
        }, "optional": null});
        let payload = payload.to_string();
        let signature = self.sign(payload.as_bytes());
        (payload, signature)
    }

    /// As `cosign sign --new-bundle-format=false` does.
    pub(crate) async fn sign_simply(&self, pusher: &Pusher, image: &Digest) {
        self.sign_beside(pusher, image, image).await;
    }

    /// The same, under the tag of another image.
    pub(crate) async fn sign_beside(&self, pusher: &Pusher, image: &Digest, other: &Digest) {
        let (payload, signature) = self.simply(image);
        let mut layer = descriptor(pusher, SIMPLE, payload.as_bytes()).await;
        layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
        let manifest = artifact(pusher, layer).await;
        let tag = other.as_str().replace(':', "-") + ".sig";
        pusher.manifest(Some(&tag), &manifest).await;
    }

    /// As `cosign sign` does where a registry knows nothing of referrers: a bundle, in an index under the tag that the specification of
    /// registries has for that.
    pub(crate) async fn sign_by_bundle(&self, pusher: &Pusher, image: &Digest) {
        self.attest(pusher, image, SIGN).await;
    }

    /// As `cosign attest` does there.
    pub(crate) async fn attest(&self, pusher: &Pusher, image: &Digest, predicate: &str) {
        let (digest, size) = self.refer(pusher, image, predicate).await;
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": MANIFEST, "digest": digest.as_str(), "size": size, "artifactType": BUNDLE,
            }],
        });
        let tag = image.as_str().replace(':', "-");
        pusher.manifest(Some(&tag), &index).await;
    }

    /// As `cosign sign` and, with another predicate, `cosign attest` do where a registry knows of referrers: a bundle that refers to the image.
    /// Gives the digest and the length of its manifest.
    pub(crate) async fn refer(
        &self,
        pusher: &Pusher,
        image: &Digest,
        predicate: &str,
    ) -> (Digest, usize) {
        let (algorithm, hex) = image.as_str().split_once(':').unwrap();
        // cosign writes no predicate.
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {algorithm: hex}}],
            "predicateType": predicate,
        });
        let bundle = self.bundle(&statement.to_string()).to_string();
        let layer = descriptor(pusher, BUNDLE, bundle.as_bytes()).await;
        let mut manifest = artifact(pusher, layer).await;
        manifest["artifactType"] = json!(BUNDLE);
        manifest["subject"] = json!({
            "mediaType": MANIFEST, "digest": image.as_str(), "size": 1,
        });
        let digest = pusher.manifest(None, &manifest).await;
        (digest, manifest.to_string().len())
    }

    fn bundle(&self, statement: &str) -> Value {
        let message = format!(
            "DSSEv1 {} {IN_TOTO} {} {statement}",
            IN_TOTO.len(),
            statement.len()
        );
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": "of the tests"}},
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(statement),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": self.sign(message.as_bytes())}],
            },
        })
    }
}

async fn artifact(pusher: &Pusher, layer: Value) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(pusher, "application/vnd.oci.empty.v1+json", b"{}").await,
        "layers": [layer],
    })
}

async fn descriptor(pusher: &Pusher, kind: &str, content: &[u8]) -> Value {
    let digest = pusher.blob(content).await;
    json!({"mediaType": kind, "digest": digest.as_str(), "size": content.len()})
}
