//! Keys that cannot be had. Without one, no registry is asked.

use std::sync::Arc;

use super::image;
use crate::adapters::cosign::CosignVerifier;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Failure;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::ports::artifact_reader::MockArtifactReader;
use crate::ports::secret_reader::MockSecretReader;
use crate::ports::secret_reader::SecretReadError;
use crate::ports::signature_verifier::SignatureVerifier as _;
use crate::ports::signature_verifier::VerifyError;

async fn verified_without(error: SecretReadError) -> VerifyError {
    let mut secrets = MockSecretReader::new();
    secrets
        .expect_field()
        .return_once(move |_, _, _| Err(error));
    // It panics where it is asked anything.
    let registry = MockArtifactReader::new();
    let verifier = CosignVerifier::new(Arc::new(registry), Arc::new(secrets));
    let access = Access::plain(ImageName::parse("r.example/app").unwrap());
    let key = SecretKeyRef {
        secret_name: "cosign".to_owned(),
        key: "k.pub".to_owned(),
    };
    let verified = verifier.verify(&access, &image(), "apps", &key).await;
    verified.unwrap_err()
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_now_is_read_again_later() {
    let (namespace, name) = ("apps".to_owned(), "cosign".to_owned());
    let error = verified_without(SecretReadError::Unavailable {
        namespace,
        name,
        reason: "timed out".to_owned(),
    })
    .await;
    let reason = "Secret apps/cosign could not be read: timed out".to_owned();
    assert_eq!(error, VerifyError::KeyUnavailable(reason.clone()));
    let is_passing = true;
    assert_eq!(Failure::from(error), Failure { reason, is_passing });
}

#[tokio::test]
async fn a_secret_that_has_no_key_has_to_be_mended() {
    let (namespace, name) = (|| "apps".to_owned(), || "cosign".to_owned());
    for error in [
        SecretReadError::Absent {
            namespace: namespace(),
            name: name(),
        },
        SecretReadError::NoField {
            namespace: namespace(),
            name: name(),
            field: "k.pub".to_owned(),
        },
        SecretReadError::Forbidden {
            namespace: namespace(),
            name: name(),
            reason: "no Role allows it".to_owned(),
        },
    ] {
        let reason = error.to_string();
        let found = verified_without(error).await;
        assert_eq!(found, VerifyError::Key(reason.clone()));
        let is_passing = false;
        assert_eq!(Failure::from(found), Failure { reason, is_passing });
    }
}
