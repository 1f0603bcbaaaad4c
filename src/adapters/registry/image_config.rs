//! The configuration of an image.

use std::time::SystemTime;

use serde::Deserialize;

use super::manifest;
use super::manifest::RawPlatform;
use crate::domain::registry::platform::Platform;

/// What the configuration of an image says, as far as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    /// When the image was built; `None` where it does not say.
    pub created: Option<SystemTime>,
    /// What it is for; `None` where it does not say.
    pub platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Raw {
    created: Option<String>,
    #[serde(flatten)]
    platform: RawPlatform,
}

/// Reads a configuration. A time that is none counts as not said.
///
/// # Errors
/// What is wrong with it.
pub fn parse(content: &[u8]) -> Result<ImageConfig, String> {
    let raw: Raw = serde_json::from_slice(content)
        .map_err(|error| format!("the configuration of an image: {error}"))?;
    Ok(ImageConfig {
        created: raw.created.as_deref().and_then(manifest::time),
        platform: raw.platform.parse(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_said_is_none() {
        let time = Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(1_000_000_001));
        let arm = Some(Platform::new("linux", "arm64", None));
        for (text, created, platform) in [
            (
                r#"{"created":"1970-01-01T00:00:01.000000001Z","os":"linux","architecture":"arm64","variant":"v8","config":{}}"#,
                time,
                arm.clone(),
            ),
            (r#"{"os":"linux","architecture":"arm64"}"#, None, arm),
            (r#"{"created":"yesterday","os":"linux"}"#, None, None),
            (r#"{"created":"","os":"","architecture":""}"#, None, None),
            ("{}", None, None),
        ] {
            let expected = ImageConfig { created, platform };
            assert_eq!(parse(text.as_bytes()), Ok(expected), "{text}");
        }
        for text in ["", "<html>", "[]", r#"{"created":5}"#] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&content);
        }
    }
}
