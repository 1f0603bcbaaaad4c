//! Public keys as cosign writes them.

use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
use aws_lc_rs::signature::ECDSA_P384_SHA256_ASN1;
use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1;
use aws_lc_rs::signature::ECDSA_P521_SHA256_ASN1;
use aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1;
use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use aws_lc_rs::signature::VerificationAlgorithm;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

/// What cosign signs with: P-256 where it makes the key itself, the others where a key was imported or is kept by a KMS. `cosign sign` hashes
/// with SHA-256 whatever the curve is; its newer signing configurations take the hash that fits the curve.
const ALGORITHMS: [&'static dyn VerificationAlgorithm; 7] = [
    &ECDSA_P256_SHA256_ASN1,
    &ECDSA_P384_SHA256_ASN1,
    &ECDSA_P384_SHA384_ASN1,
    &ECDSA_P521_SHA256_ASN1,
    &ECDSA_P521_SHA512_ASN1,
    &RSA_PKCS1_2048_8192_SHA256,
    &ED25519,
];

/// A public key, once for each way in which it may have been used.
#[derive(Debug)]
pub struct PublicKey(Vec<ParsedPublicKey>);

impl PublicKey {
    /// Reads a key: `PUBLIC KEY` in PEM, the first of the text.
    ///
    /// # Errors
    /// Why it is no usable key, and what one looks like. Nothing of the text is repeated, as it may be a private key put in the wrong place.
    pub fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let Ok(der) = SubjectPublicKeyInfoDer::from_pem_slice(text) else {
            return Err(if contains(text, b"PRIVATE KEY-----") {
                "it holds a private key; give the public one, cosign.pub, and replace the key pair if others can read the Secret"
            } else {
                "it is no public key in PEM; give what `cosign public-key` prints, which begins with -----BEGIN PUBLIC KEY-----"
            });
        };
        // A key of one kind is no key of another, so each algorithm that takes it is one with which it may have signed.
        let fitting: Vec<_> = ALGORITHMS
            .into_iter()
            .filter_map(|algorithm| ParsedPublicKey::new(algorithm, der.as_ref()).ok())
            .collect();
        if fitting.is_empty() {
            return Err(
                "it is damaged or of a kind that cosign does not sign with; give an ECDSA key (P-256, P-384 or P-521), an RSA key of at least 2048 bits or an Ed25519 key",
            );
        }
        if is_of_no_good_size(der.as_ref()) {
            return Err(
                "it is an RSA key of fewer than 2048 bits or of more than 8192, with which no signature is believed; make another key pair",
            );
        }
        Ok(Self(fitting))
    }

    /// Whether a signature over a message was made with the key.
    #[must_use]
    pub fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        self.0
            .iter()
            .any(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// Whether it is an RSA key with which nothing would verify. Its size is looked at only then, when it is too late to say what is wrong.
fn is_of_no_good_size(der: &[u8]) -> bool {
    let is_rsa = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).is_ok();
    is_rsa && PublicEncryptingKey::from_der(der).is_err()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
