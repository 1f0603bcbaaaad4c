//! Signatures among the referrers of an image, in a registry that has the API for them.

use image_updater::domain::reference::Digest;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::registry_client::RegistryClient as _;

use crate::registry::Pusher;
use crate::registry::Registry;
use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::signatures::verified;
use crate::signer::SIGN;
use crate::signer::Signer;
use crate::support::access;
use crate::support::client;
use crate::support::digest;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::tag;

async fn pushed(pusher: &Pusher, created: &str) -> Digest {
    pusher.image(Some("1"), "linux/amd64", created).await
}

#[tokio::test]
async fn a_signature_is_found_among_the_referrers_and_nothing_else_signs() {
    let Some(registry) = Registry::with_referrers() else {
        return;
    };
    let pusher = registry.pusher("a", "");
    let url = registry.url();
    let client = || client(endpoint(&url));
    let (ours, theirs) = (Signer::new(), Signer::new());
    let image = pushed(&pusher, "2026-01-01T00:00:00Z").await;
    let other = pushed(&pusher, "2026-02-02T00:00:00Z").await;
    assert_ne!(image, other);
    // It calls its errors text.
    assert_eq!(client().digest(&access("a"), &tag("2")).await, Ok(None));
    assert_eq!(client().referrers(&access("a"), &image).await, Ok(vec![]));
    let found = verified(client(), &ours, &image).await;
    assert!(found.contains("it has no signature of cosign"), "{found}");

    let provenance = "https://slsa.dev/provenance/v1";
    ours.refer(&pusher, &image, provenance).await;
    theirs.refer(&pusher, &image, SIGN).await;
    let found = verified(client(), &ours, &image).await;
    assert!(
        found.contains(
            "it has 1 signature, which is not by this key; attestations sign no image (found: 1)"
        ),
        "{found}"
    );

    ours.refer(&pusher, &image, SIGN).await;
    let referrers = client().referrers(&access("a"), &image).await.unwrap();
    assert_eq!(referrers.len(), 3);
    assert_eq!(verified(client(), &ours, &image).await, "signed");
    let found = verified(client(), &ours, &other).await;
    assert!(found.starts_with("unsigned: "), "{found}");
}

#[tokio::test]
async fn a_list_that_is_too_long_is_given_up_before_it_fills_the_memory() {
    let signature = digest(b"signature");
    let registry = Scripted::start(move |_, _, before| {
        let kind = "x".repeat(1 << 20);
        let body = serde_json::json!({"manifests": [{"digest": signature.as_str(), "artifactType": kind}]});
        let next = format!("<?page={before}>; rel=next");
        Answer::json(body.to_string()).with("link", &next)
    })
    .await;
    let client = client(endpoint(&registry.url()));
    let found = client.referrers(&access("a"), &digest(b"image")).await;
    assert_eq!(kind(&found.map(|found| found.len())), "nonsense");
    let asked = registry.asks().len();
    assert!(asked < 10, "{asked}");
}
