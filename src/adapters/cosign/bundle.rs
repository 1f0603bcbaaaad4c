//! The newer of cosign's formats: a
//! [sigstore bundle](https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md) whose
//! [DSSE](https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md) envelope holds an
//! [in-toto Statement](https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::adapters::cosign::candidate::Candidate;
use crate::adapters::cosign::candidate::Claim;
use crate::adapters::cosign::candidate::decode;
use crate::adapters::cosign::unreadable::Unreadable;

/// The media type of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The payload of every envelope that cosign writes. `cosign verify` demands it, too: the verifier beneath it reads no other payload as a
/// Statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The statement of `cosign sign`. `cosign attest` writes others.
///
/// Here this is stricter than `cosign verify`, which as of version 3.0 takes a Statement of any kind about the digest for a signature, as it
/// verifies bundles by the function for attestations; only `cosign verify-attestation` compares the kind. A scanner's report that is signed
/// with the same key must not let an image pass.
pub const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The beginning of every version's `_type`.
const STATEMENT: &str = "https://in-toto.io/Statement/";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// Reads a bundle.
///
/// # Errors
/// [`Unreadable`].
pub fn read(blob: &[u8]) -> Result<Candidate, Unreadable> {
    let bundle: Bundle =
        serde_json::from_slice(blob).map_err(|error| Unreadable::json("a bundle", &error))?;
    let envelope = bundle.dsse_envelope.ok_or(Unreadable::NoEnvelope)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Unreadable::PayloadType);
    }
    let payload = decode("an envelope's payload", &envelope.payload)?;
    let signatures = envelope
        .signatures
        .iter()
        .map(|signature| decode("an envelope's signature", &signature.sig))
        .collect::<Result<_, _>>()?;
    Ok(Candidate {
        message: pre_authentication_encoding(&envelope.payload_type, &payload),
        signatures,
        claim: claim(&payload)?,
    })
}

fn claim(payload: &[u8]) -> Result<Claim, Unreadable> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|error| Unreadable::json("an in-toto Statement", &error))?;
    if !statement.kind.starts_with(STATEMENT) {
        return Err(Unreadable::NoStatement);
    }
    if statement.predicate_type != SIGN {
        return Ok(Claim::Attests);
    }
    let digests = statement.subject.into_iter().flat_map(|subject| {
        let digests = subject.digest.into_iter();
        digests.map(|(algorithm, hex)| format!("{algorithm}:{hex}"))
    });
    Ok(Claim::Signs(digests.collect()))
}

/// What is signed of an envelope: its payload, and before it what it is and how long both are, so that no two envelopes sign the same bytes.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (length, type_length) = (payload.len(), payload_type.len());
    let mut encoded = format!("DSSEv1 {type_length} {payload_type} {length} ").into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The example of the protocol's text.
    #[test]
    fn the_encoding_is_that_of_the_protocol() {
        assert_eq!(
            pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(read(b"{}"), Err(Unreadable::NoEnvelope));
        let other =
            br#"{"dsseEnvelope":{"payload":"","payloadType":"text/plain","signatures":[]}}"#;
        assert_eq!(read(other), Err(Unreadable::PayloadType));
        let statement = br#"{"_type":"https://example.com/v1","subject":[],"predicateType":""}"#;
        assert_eq!(claim(statement), Err(Unreadable::NoStatement));
    }

    /// `cosign sign` writes no predicate, though a Statement should have one, and names each subject by its digest alone.
    #[test]
    fn every_digest_of_every_subject_is_signed() {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"{SIGN}","subject":[{{"name":"x"}},{{"digest":{{"sha256":"a","sha512":"b"}}}},{{"digest":{{"sha256":"c"}}}}]}}"#
        );
        let digests = ["sha256:a", "sha512:b", "sha256:c"].map(str::to_owned);
        assert_eq!(
            claim(statement.as_bytes()),
            Ok(Claim::Signs(digests.to_vec()))
        );
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(blob in any::<Vec<u8>>()) {
            let _ = read(&blob);
            let _ = claim(&blob);
        }

        /// JSON of the right shape, which random bytes never are.
        #[test]
        fn any_texts_in_an_envelope_are_read_or_refused(payload in ".*", sig in ".*", kind in ".*") {
            for kind in [kind.as_str(), PAYLOAD_TYPE] {
                let bundle = json!({"dsseEnvelope": {
                    "payload": payload, "payloadType": kind, "signatures": [{"sig": sig}],
                }});
                let _ = read(bundle.to_string().as_bytes());
            }
        }

        #[test]
        fn no_two_envelopes_sign_the_same_bytes(
            (one, other) in (any::<(String, Vec<u8>)>(), any::<(String, Vec<u8>)>())
        ) {
            let encode = |(kind, payload): &(String, Vec<u8>)| pre_authentication_encoding(kind, payload);
            prop_assert_eq!(encode(&one) == encode(&other), one == other);
        }
    }
}
