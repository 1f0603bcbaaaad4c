//! Every kind of key, and what it signed.

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING;
use aws_lc_rs::signature::ECDSA_P521_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1_SIGNING;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RSA_PKCS1_SHA512;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::Shelf;
use super::image;
use super::payload;
use super::signer::Signer;
use super::statement;
use super::unsigned;
use crate::adapters::cosign::bundle;
use crate::adapters::cosign::public_key::PublicKey;
use crate::adapters::cosign::simple_signing;

/// Two keys of each kind that counts.
fn kinds() -> Vec<(&'static str, Signer, Signer)> {
    let ecdsa = |algorithm| (Signer::ecdsa(algorithm), Signer::ecdsa(algorithm));
    let rsa = |size| {
        let stranger = Signer::rsa(KeySize::Rsa2048, &RSA_PKCS1_SHA256);
        (Signer::rsa(size, &RSA_PKCS1_SHA256), stranger)
    };
    [
        ("P-256", ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)),
        ("P-384 with SHA-384", ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)),
        ("P-521 with SHA-256", ecdsa(&ECDSA_P521_SHA256_ASN1_SIGNING)),
        ("P-521 with SHA-512", ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING)),
        ("RSA 2048", rsa(KeySize::Rsa2048)),
        ("RSA 4096", rsa(KeySize::Rsa4096)),
        ("Ed25519", (Signer::ed25519(), Signer::ed25519())),
    ]
    .into_iter()
    .map(|(kind, (ours, theirs))| (kind, ours, theirs))
    .collect()
}

/// An image with one signature in a layer of its own.
fn simply(signature: &[u8]) -> Shelf {
    let mut shelf = Shelf::default();
    let signature = BASE64_STANDARD.encode(signature);
    let layer = shelf.layer(
        simple_signing::MEDIA_TYPE,
        &payload(&image()),
        Some(signature),
    );
    shelf.tag(".sig", &json!({"layers": [layer]}));
    shelf
}

#[tokio::test]
async fn a_good_signature_of_every_kind_counts_and_no_bad_one_does() {
    for (kind, ours, theirs) in kinds() {
        let message = payload(&image());
        let good = ours.sign_bytes(&message);
        assert_eq!(simply(&good).verify(&ours).await, Ok(()), "{kind}");
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (what, bad) in [
            ("another key's", theirs.sign_bytes(&message)),
            ("another message's", ours.sign_bytes(b"another message")),
            ("changed", changed),
            ("cut", good[..good.len() - 1].to_vec()),
            ("longer", [&good[..], &[0]].concat()),
            ("zeros", vec![0; good.len()]),
            ("empty", Vec::new()),
        ] {
            let text = unsigned(simply(&bad).verify(&ours).await);
            assert!(
                text.contains("1 signature, which is not by this key"),
                "{kind}, {what}: {text}"
            );
        }

        let said = statement(&image(), bundle::SIGN);
        let mut shelf = Shelf::default();
        shelf.refer(&ours.bundle(&said));
        assert_eq!(shelf.verify(&ours).await, Ok(()), "{kind}");
        let mut shelf = Shelf::default();
        shelf.refer(&theirs.bundle(&said));
        let text = unsigned(shelf.verify(&ours).await);
        assert!(text.contains("not by this key"), "{kind}: {text}");
    }
}

/// `cosign sign` makes and verifies no PSS, and no hash but SHA-256 with RSA.
#[tokio::test]
async fn an_rsa_signature_that_cosign_does_not_make_does_not_count() {
    for encoding in [&RSA_PSS_SHA256, &RSA_PKCS1_SHA512] {
        let signer = Signer::rsa(KeySize::Rsa2048, encoding);
        let shelf = simply(&signer.sign_bytes(&payload(&image())));
        let text = unsigned(shelf.verify(&signer).await);
        assert!(text.contains("not by this key"), "{encoding:?}: {text}");
    }
}

/// Made by `openssl dgst -sha256 -sign`: `cosign sign` hashes with SHA-256 on every curve.
#[test]
fn a_signature_of_openssl_on_p384_with_sha256_counts() {
    let key = b"-----BEGIN PUBLIC KEY-----\n\
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEopLV9ahm+jTfheSi4CxXOnEpZU/AyzYk\n\
        zz2WwQfTmehuBOjtt3UHEIT0ZX+NuM9LBOhtseprTPeVCWOh1DcNU4D4khov/wh8\n\
        emplYrHemhHNBOyS3wlfd3r1YjGm1s7u\n\
        -----END PUBLIC KEY-----\n";
    let signature = "MGYCMQDC/2A15Dc+cGshn2WQ0Orjp31i0Te6MqONAVzrXAay+u+7ilzCYBNeK90qFOMhdEgCMQCgtF/0BoXaOaDEVo9CvFo7ZFjPpLieMyIsvflsmoMeT519gWB5aig9ztg9m01tz+A=";
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let key = PublicKey::parse(key).unwrap();
    assert!(key.made(&signature, b"a message"));
    assert!(!key.made(&signature, b"a massage"));
}

/// Made by `openssl genrsa 1024` and `openssl ecparam -name secp256k1`.
#[test]
fn keys_that_are_too_weak_or_of_another_kind_are_refused() {
    let short = b"-----BEGIN PUBLIC KEY-----\n\
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCYRPsB1fRPz9FEKrBgQ00Cu3j\n\
        den51SKFVs63Lqb5fmBXjXVexjOKEweBxBqtWv8FPeesN39xSINWoVbvDJL+0w9T\n\
        TGOrgwGHvzp+feZ+zfMUGc9Ln73AWyRoLi92jBAqAJzn8fzOe9tdQG4pj64xTsUA\n\
        RIk526bDfeDEm5LnNQIDAQAB\n\
        -----END PUBLIC KEY-----\n";
    let other_curve = b"-----BEGIN PUBLIC KEY-----\n\
        MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE2HlV1QVvNKdqrY9qoE9XqNYGutt0gLBM\n\
        +qp+gFeqXCEM2lzYy3EsazaSmXJzB3LCbmO+bIEWiI4mVOEIJ4LXZA==\n\
        -----END PUBLIC KEY-----\n";
    for (key, expected) in [
        (&short[..], "an RSA key of fewer than 2048 bits"),
        (other_curve, "of a kind that cosign does not sign with"),
    ] {
        let why = PublicKey::parse(key).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
}
