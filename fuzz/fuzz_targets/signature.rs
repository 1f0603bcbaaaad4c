//! What whoever may push calls a signature: manifests, bundles and simple signing of any bytes are read or refused, nothing panics, and no key
//! of another has made what is read.
//!
//! The first byte chooses what is read. For simple signing, a form feed ends the annotation, behind which the layer follows.

#![no_main]

use std::sync::LazyLock;

use image_updater::adapters::cosign::bundle;
use image_updater::adapters::cosign::candidate::Candidate;
use image_updater::adapters::cosign::candidate::Claim;
use image_updater::adapters::cosign::manifest;
use image_updater::adapters::cosign::manifest::Manifest;
use image_updater::adapters::cosign::public_key::PublicKey;
use image_updater::adapters::cosign::simple_signing;
use libfuzzer_sys::fuzz_target;

/// A key whose private half was thrown away when it had signed once.
static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg17BAFLV/gCY0gQ10v5T8cmi0xIz\n\
        tk2eROdh5/HBX1MSum+cBnT4PMvJ8ABVp4m0qMW9s5NvwXXKEkVTRdj5GA==\n\
        -----END PUBLIC KEY-----\n";
    PublicKey::parse(pem.as_bytes()).expect("it is a key")
});

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    match kind % 4 {
        0 => match manifest::read(rest) {
            Ok(Manifest::Layers(layers)) => assert!(layers.len() <= rest.len()),
            Ok(Manifest::Index(manifests)) => assert!(manifests.len() <= rest.len()),
            Err(why) => assert!(why.to_string().is_ascii()),
        },
        1 => {
            if let Ok(candidate) = bundle::read(rest) {
                assert!(candidate.message.starts_with(b"DSSEv1 28 application/vnd.in-toto+json "));
                check(&candidate);
            }
        }
        2 => {
            let mut parts = rest.splitn(2, |byte| *byte == b'\x0c');
            let (Some(annotation), Some(layer)) = (parts.next(), parts.next()) else {
                return;
            };
            let annotation = String::from_utf8_lossy(annotation);
            if let Ok(candidate) = simple_signing::read(layer.to_vec(), Some(&annotation)) {
                assert!(candidate.message == layer && candidate.signatures.len() == 1);
                assert!(matches!(&candidate.claim, Claim::Signs(one) if one.len() == 1));
                check(&candidate);
            }
        }
        _ => {
            let _ = PublicKey::parse(rest);
        }
    }
});

fn check(candidate: &Candidate) {
    let mut signatures = candidate.signatures.iter().take(16);
    assert!(!signatures.any(|signature| KEY.made(signature, &candidate.message)));
}
