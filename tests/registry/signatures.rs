//! Signatures in a registry that does not give them out as it should: nothing counts as signed by that, and what is wrong is told.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use image_updater::adapters::cosign::CosignVerifier;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::domain::reference::Digest;
use image_updater::domain::resources::image_updater::SecretKeyRef;
use image_updater::ports::secret_reader::SecretReadError;
use image_updater::ports::secret_reader::SecretReader;
use image_updater::ports::signature_verifier::SignatureVerifier as _;
use image_updater::ports::signature_verifier::VerifyError;
use serde_json::Value;
use serde_json::json;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::signer::SIMPLE;
use crate::signer::Signer;
use crate::support::access;
use crate::support::client;
use crate::support::digest;
use crate::support::endpoint;
use crate::support::kind;

/// A Secret with a key in each field.
struct Key(String);

#[async_trait]
impl SecretReader for Key {
    async fn field(&self, _: &str, _: &str, _: &str) -> Result<Vec<u8>, SecretReadError> {
        Ok(self.0.clone().into_bytes())
    }
}

/// What becomes of the question whether an image in repository `a` is signed.
pub(crate) async fn verified(client: HttpRegistries, signer: &Signer, image: &Digest) -> String {
    let key = Key(signer.public_key());
    let verifier = CosignVerifier::new(Arc::new(client), Arc::new(key));
    let at = SecretKeyRef {
        secret_name: "cosign".to_owned(),
        key: "cosign.pub".to_owned(),
    };
    match verifier.verify(&access("a"), image, "apps", &at).await {
        Ok(()) => "signed".to_owned(),
        Err(VerifyError::Unsigned(reason)) => format!("unsigned: {reason}"),
        Err(VerifyError::Registry(error)) => {
            let text = error.to_string();
            format!("{}: {text}", kind::<()>(&Err(error)))
        }
        Err(VerifyError::Key(reason) | VerifyError::KeyUnavailable(reason)) => {
            format!("key: {reason}")
        }
    }
}

/// What a registry answers, by the end of a path; 404 to everything else.
#[derive(Clone, Default)]
struct Contents(HashMap<String, Answer>);

impl Contents {
    fn put(&mut self, path: &str, answer: Answer) {
        self.0.insert(format!("GET /v2/a/{path}"), answer);
    }

    /// Puts a layer with a signature, and gives its descriptor.
    fn layer(&mut self, signer: &Signer) -> Value {
        let (payload, signature) = signer.simply(&image());
        let digest = digest(payload.as_bytes());
        let size = payload.len();
        self.put(&format!("blobs/{digest}"), Answer::of(200).body(payload));
        json!({
            "mediaType": SIMPLE, "digest": digest.as_str(), "size": size,
            "annotations": {"dev.cosignproject.cosign/signature": signature},
        })
    }

    async fn served(self) -> Scripted {
        Scripted::start(move |ask, _, _| {
            let missing = || Answer::error(404, "MANIFEST_UNKNOWN");
            self.0.get(&ask.line).cloned().unwrap_or_else(missing)
        })
        .await
    }

    async fn verified(self, signer: &Signer) -> String {
        let registry = self.served().await;
        verified(client(endpoint(&registry.url())), signer, &image()).await
    }
}

fn image() -> Digest {
    digest(b"the image")
}

/// Where cosign before version 3 puts signatures.
fn tagged() -> String {
    format!("manifests/{}.sig", image().as_str().replace(':', "-"))
}

fn referrers() -> String {
    format!("referrers/{}", image())
}

fn manifest(layers: &[Value]) -> Vec<u8> {
    json!({"schemaVersion": 2, "layers": layers})
        .to_string()
        .into_bytes()
}

/// A list of one referrer.
fn referring(to: &Digest) -> Answer {
    let kind = "application/vnd.dev.cosign.artifact.sig.v1+json";
    let index = json!({"manifests": [{"digest": to.as_str(), "artifactType": kind}]});
    Answer::json(index.to_string())
}

/// What goes wrong with everything that is asked for.
fn failures() -> Vec<(&'static str, Answer, &'static str)> {
    vec![
        ("500", Answer::of(500), "unavailable: "),
        ("503", Answer::of(503), "unavailable: "),
        ("429", Answer::of(429), "unavailable: "),
        ("403", Answer::error(403, "DENIED"), "denied: "),
        ("401", Answer::basic(), "denied: "),
        ("418", Answer::of(418), "nonsense: "),
        (
            "404 of something else",
            Answer::of(404).with("content-type", "text/html"),
            "nonsense: ",
        ),
        (
            "cut",
            Answer::of(200).body("x".repeat(100)).broken_after(5),
            "unavailable: ",
        ),
    ]
}

#[tokio::test]
async fn a_manifest_that_is_not_given_out_signs_nothing() {
    let signer = Signer::new();
    let mut good = Contents::default();
    let content = manifest(&[good.layer(&signer)]);
    good.put(&tagged(), Answer::json(content.clone()));
    assert_eq!(good.clone().verified(&signer).await, "signed");
    let another = digest(b"another manifest");
    let more = [
        (
            "404",
            Answer::error(404, "MANIFEST_UNKNOWN"),
            "unsigned: r.example/a@",
        ),
        (
            "too large",
            Answer::json(vec![b' '; (4 << 20) + 1]),
            "nonsense: registry Tests answered what cannot be used: an answer of more than 4194304 bytes",
        ),
        (
            "another one",
            Answer::json(content).with("docker-content-digest", another.as_str()),
            "nonsense: registry Tests answered what cannot be used: a manifest that is not",
        ),
        ("no JSON", Answer::json("<html>"), "unsigned: "),
    ];
    for (what, answer, expected) in failures().into_iter().chain(more) {
        let mut bad = good.clone();
        bad.put(&tagged(), answer);
        let found = bad.verified(&signer).await;
        assert!(found.starts_with(expected), "{what}: {found}");
    }
}

#[tokio::test]
async fn a_blob_that_is_not_given_out_signs_nothing() {
    let signer = Signer::new();
    let mut good = Contents::default();
    let layer = good.layer(&signer);
    let blob = format!("blobs/{}", layer["digest"].as_str().unwrap());
    good.put(&tagged(), Answer::json(manifest(&[layer])));
    assert_eq!(good.clone().verified(&signer).await, "signed");
    let (other, _) = signer.simply(&digest(b"another image"));
    let more = [
        (
            "too large",
            Answer::of(200).body(vec![b' '; (1 << 20) + 1]),
            "nonsense: registry Tests answered what cannot be used: an answer of more than 1048576 bytes",
        ),
        (
            "another one",
            Answer::of(200).body(other),
            "nonsense: registry Tests answered what cannot be used: a blob that is not",
        ),
    ];
    for (what, answer, expected) in failures().into_iter().chain(more) {
        let mut bad = good.clone();
        bad.put(&blob, answer);
        let found = bad.verified(&signer).await;
        assert!(found.starts_with(expected), "{what}: {found}");
    }
    let mut missing = good;
    missing.put(&blob, Answer::error(404, "BLOB_UNKNOWN"));
    let found = missing.verified(&signer).await;
    assert!(found.starts_with("unsigned: "), "{found}");
    assert!(
        found.ends_with("the registry lacks 1 of its parts"),
        "{found}"
    );
}

#[tokio::test]
async fn a_referrer_that_is_not_given_out_signs_nothing() {
    let signer = Signer::new();
    let mut good = Contents::default();
    let content = manifest(&[good.layer(&signer)]);
    let name = digest(&content);
    let path = format!("manifests/{name}");
    good.put(&path, Answer::json(content));
    good.put(&referrers(), referring(&name));
    assert_eq!(good.clone().verified(&signer).await, "signed");
    let more = [(
        "another one",
        Answer::json(manifest(&[])),
        "nonsense: registry Tests answered what cannot be used: a manifest that is not",
    )];
    for (what, answer, expected) in failures().into_iter().chain(more) {
        let mut bad = good.clone();
        bad.put(&path, answer.clone());
        let found = bad.verified(&signer).await;
        assert!(found.starts_with(expected), "{what}: {found}");
    }
    let mut missing = good.clone();
    missing.put(&path, Answer::error(404, "MANIFEST_UNKNOWN"));
    let found = missing.verified(&signer).await;
    assert!(
        found.ends_with("the registry lacks 1 of its parts"),
        "{found}"
    );

    for (what, answer, expected) in failures() {
        let mut bad = good.clone();
        bad.put(&referrers(), answer);
        let found = bad.verified(&signer).await;
        // The registry does not know the API, whoever says so.
        let expected = if what.starts_with("404") {
            "unsigned: "
        } else {
            expected
        };
        assert!(found.starts_with(expected), "{what}: {found}");
    }
}

/// Whoever may push can spoil an artifact, and must not keep an image from being deployed by that.
#[tokio::test]
async fn what_is_spoiled_hides_no_other_signature() {
    let signer = Signer::new();
    let mut contents = Contents::default();
    let spoiled = contents.layer(&signer);
    let layer = contents.layer(&signer);
    let blob = spoiled["digest"].as_str().unwrap().to_owned();
    assert_eq!(layer["digest"].as_str(), Some(blob.as_str()));
    // The same payload under another name, which is not its digest.
    let mut spoiled = spoiled;
    let wrong = digest(b"wrong");
    spoiled["digest"] = json!(wrong.as_str());
    contents.put(&format!("blobs/{wrong}"), Answer::of(200).body("x"));
    let absent = digest(b"absent");
    contents.put(&referrers(), referring(&absent));
    let lie = format!("manifests/{absent}");
    contents.put(&lie, Answer::json(manifest(&[])));
    contents.put(&tagged(), Answer::json(manifest(&[spoiled, layer])));
    assert_eq!(contents.verified(&signer).await, "signed");
}
