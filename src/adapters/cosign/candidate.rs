//! What may be a signature of an image.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;

use crate::adapters::cosign::unreadable::Unreadable;

/// Signers differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message, its signatures, and what it says. Nothing of it is trusted before a signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The bytes that were signed.
    pub message: Vec<u8>,
    /// Signatures over them, of any keys.
    pub signatures: Vec<Vec<u8>>,
    /// What the message says.
    pub claim: Claim,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// That these digests, as texts, are signed.
    Signs(Vec<String>),
    /// Something else about an image, such as how it was built or what a scanner found in it.
    Attests,
}

/// Decodes base64.
pub(super) fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Unreadable> {
    BASE64
        .decode(text.trim())
        .map_err(|_| Unreadable::Base64(what))
}
