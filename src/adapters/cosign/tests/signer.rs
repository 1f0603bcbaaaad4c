//! Who has a private key, of any kind that cosign signs with.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::EcdsaSigningAlgorithm;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::RsaSignatureEncoding;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::adapters::cosign::bundle;

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A key pair that was made for the test.
pub(super) struct Signer {
    public: Vec<u8>,
    sign: Sign,
}

impl Signer {
    /// As `cosign generate-key-pair` makes it.
    pub(super) fn new() -> Self {
        Self::ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    pub(super) fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        Self {
            public: pem(pair.public_key()),
            sign: Box::new(move |message| {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }),
        }
    }

    pub(super) fn rsa(size: KeySize, encoding: &'static RsaSignatureEncoding) -> Self {
        let pair = rsa::KeyPair::generate(size).unwrap();
        Self {
            public: pem(pair.public_key()),
            sign: Box::new(move |message| {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
                    .unwrap();
                signature
            }),
        }
    }

    pub(super) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self {
            public: pem(pair.public_key()),
            sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()),
        }
    }

    /// What `cosign public-key` prints.
    pub(super) fn pem(&self) -> Vec<u8> {
        self.public.clone()
    }

    pub(super) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        (self.sign)(message)
    }

    pub(super) fn sign(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(self.sign_bytes(message))
    }

    pub(super) fn bundle(&self, statement: &Value) -> Vec<u8> {
        let payload = statement.to_string();
        let message = bundle::pre_authentication_encoding(bundle::PAYLOAD_TYPE, payload.as_bytes());
        json!({"mediaType": bundle::MEDIA_TYPE, "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(payload),
            "payloadType": bundle::PAYLOAD_TYPE,
            "signatures": [{"sig": self.sign(&message)}],
        }})
        .to_string()
        .into_bytes()
    }
}

fn pem(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = key.as_der().unwrap();
    let body = BASE64_STANDARD.encode(der.as_ref());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes()
}
