//! The older of cosign's formats:
//! [simple signing](https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md). A layer is the signed message, and the signature
//! stands in the layer's annotations.

use serde::Deserialize;

use crate::adapters::cosign::candidate::Candidate;
use crate::adapters::cosign::candidate::Claim;
use crate::adapters::cosign::candidate::decode;
use crate::adapters::cosign::unreadable::Unreadable;

/// The media type of such a layer.
pub const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation that holds the signature.
pub const ANNOTATION: &str = "dev.cosignproject.cosign/signature";

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Reads a layer and the annotation beside it.
///
/// # Errors
/// [`Unreadable`].
pub fn read(layer: Vec<u8>, annotation: Option<&str>) -> Result<Candidate, Unreadable> {
    let annotation = annotation.ok_or(Unreadable::NoAnnotation)?;
    let signature = decode("a signature", annotation)?;
    let payload: Payload = serde_json::from_slice(&layer)
        .map_err(|error| Unreadable::json("a simple-signing payload", &error))?;
    Ok(Candidate {
        message: layer,
        signatures: vec![signature],
        claim: Claim::Signs(vec![payload.critical.image.digest]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let whole = br#"{"critical":{"image":{"docker-manifest-digest":"sha256:ab"}}}"#;
        assert_eq!(read(whole.to_vec(), None), Err(Unreadable::NoAnnotation));
        assert_eq!(
            read(whole.to_vec(), Some("%")),
            Err(Unreadable::Base64("a signature"))
        );
        for wrong in [
            &whole[..30],
            br#"{"critical":{"image":{}}}"#,
            // Which of two counts must not be open.
            br#"{"critical":{"image":{"docker-manifest-digest":"a","docker-manifest-digest":"b"}}}"#,
            b"",
        ] {
            let read = read(wrong.to_vec(), Some("AQI="));
            assert!(matches!(read, Err(Unreadable::Json { .. })), "{read:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(layer in any::<Vec<u8>>(), annotation in ".*") {
            let _ = read(layer, Some(&annotation));
        }

        /// What is verified is what lies in the registry, byte for byte, blanks included.
        #[test]
        fn the_layer_is_the_message(digest in "\\PC*", blanks in "[ \n\t]{0,4}") {
            let text = serde_json::json!({"critical": {"image": {"docker-manifest-digest": digest}}});
            let layer = format!("{blanks}{text}{blanks}").into_bytes();
            let candidate = read(layer.clone(), Some(" AQI ")).unwrap();
            prop_assert_eq!(candidate.message, layer);
            prop_assert_eq!(candidate.claim, Claim::Signs(vec![digest]));
            prop_assert_eq!(candidate.signatures, [[1, 2]]);
        }
    }
}
