//! Manifests and indexes, of OCI and of Docker.

use std::collections::HashMap;
use std::time::SystemTime;

use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;

use crate::domain::reference::Digest;
use crate::domain::registry::platform::Platform;

/// What is accepted, the kinds that the Go program accepts.
pub const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json";

/// The annotation that says when something was built.
const CREATED: &str = "org.opencontainers.image.created";

/// What a manifest says, as far as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image, or another artifact.
    Image {
        /// The blob with the configuration of the image; `None` where it is none of an image, a Helm chart's for instance.
        config: Option<Digest>,
        /// When it was built, by its annotation.
        created: Option<SystemTime>,
    },
    /// Several, by platform.
    Index {
        /// Those that can be run: attestations are left out.
        children: Vec<Child>,
        /// When it was built, by its annotation.
        created: Option<SystemTime>,
    },
}

/// One of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its digest.
    pub digest: Digest,
    /// What it is for, if the index says it.
    pub platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    config: Option<RawConfig>,
    manifests: Option<Vec<RawChild>>,
    annotations: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawConfig {
    media_type: Option<String>,
    digest: String,
}

#[derive(Deserialize)]
struct RawChild {
    digest: String,
    platform: Option<RawPlatform>,
}

/// A platform, as indexes and configurations say it.
#[derive(Deserialize)]
pub(super) struct RawPlatform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl RawPlatform {
    /// `None` where it says neither what system nor what processor.
    pub(super) fn parse(&self) -> Option<Platform> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (os, architecture) = (filled(&self.os)?, filled(&self.architecture)?);
        Some(Platform::new(&os, &architecture, self.variant.as_deref()))
    }

    /// What `BuildKit` marks attestations with.
    fn is_of_attestation(&self) -> bool {
        self.os.as_deref() == Some("unknown") && self.architecture.as_deref() == Some("unknown")
    }
}

/// Reads a manifest or an index.
///
/// # Errors
/// What is wrong with it.
pub fn parse(content: &[u8]) -> Result<Manifest, String> {
    let raw: Raw =
        serde_json::from_slice(content).map_err(|error| format!("a manifest: {error}"))?;
    let created = raw.annotations.as_ref().and_then(|annotations| {
        let text = annotations.get(CREATED)?;
        time(text)
    });
    match (raw.config, raw.manifests) {
        (Some(config), None) => Ok(Manifest::Image {
            config: image_config(&config)?,
            created,
        }),
        (None, Some(children)) => Ok(Manifest::Index {
            children: runnable(children)?,
            created,
        }),
        // One reader could take it for this and another for that.
        (Some(_), Some(_)) => Err("what is a manifest and an index at once".to_owned()),
        (None, None) => Err(format!(
            "what is neither a manifest nor an index of the kinds that are read, but {:?}",
            raw.media_type.unwrap_or_default()
        )),
    }
}

fn image_config(config: &RawConfig) -> Result<Option<Digest>, String> {
    let is_image = config.media_type.as_deref().is_none_or(|kind| {
        matches!(
            kind,
            "" | "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json"
        )
    });
    is_image.then(|| digest(&config.digest)).transpose()
}

fn runnable(children: Vec<RawChild>) -> Result<Vec<Child>, String> {
    let is_run = |child: &RawChild| {
        let platform = child.platform.as_ref();
        !platform.is_some_and(RawPlatform::is_of_attestation)
    };
    let child = |child: RawChild| {
        Ok(Child {
            digest: digest(&child.digest)?,
            platform: child.platform.as_ref().and_then(RawPlatform::parse),
        })
    };
    children.into_iter().filter(is_run).map(child).collect()
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).map_err(|error| format!("a manifest: {error}"))
}

/// A time as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) has it; `None` where it is none.
#[must_use]
pub fn time(text: &str) -> Option<SystemTime> {
    text.trim().parse::<Timestamp>().ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn hash(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[test]
    fn an_image_has_a_configuration_and_an_artifact_another_one() {
        let image = |kind: &str, annotations: &str| {
            let text = format!(
                r#"{{"schemaVersion":2,"config":{{"mediaType":"{kind}","digest":"{}","size":1}},"layers":[],"annotations":{annotations}}}"#,
                hash("a")
            );
            parse(text.as_bytes())
        };
        let config = Digest::parse(&hash("a")).ok();
        for kind in [
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
        ] {
            let config = config.clone();
            let created = None;
            assert_eq!(image(kind, "null"), Ok(Manifest::Image { config, created }));
        }
        let chart = "application/vnd.cncf.helm.config.v1+json";
        let created = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
        let when = format!(r#"{{"{CREATED}":"1970-01-01T01:00:01.5+01:00"}}"#);
        let config = None;
        assert_eq!(image(chart, &when), Ok(Manifest::Image { config, created }));
    }

    #[test]
    fn an_index_has_children_and_no_attestations() {
        let index = format!(
            r#"{{"manifests":[
            {{"digest":"{}","platform":{{"os":"linux","architecture":"arm","variant":"v7"}}}},
            {{"digest":"{}","platform":{{"os":"unknown","architecture":"unknown"}}}},
            {{"digest":"{}"}}]}}"#,
            hash("a"),
            hash("b"),
            hash("c")
        );
        let Ok(Manifest::Index { children, .. }) = parse(index.as_bytes()) else {
            panic!("no index");
        };
        let shown: Vec<String> = children
            .iter()
            .map(|child| {
                let platform = child.platform.as_ref().map(Platform::to_string);
                format!("{:?} {:?}", &child.digest.as_str()[..8], platform)
            })
            .collect();
        assert_eq!(
            shown,
            [r#""sha256:a" Some("linux/arm/v7")"#, r#""sha256:c" None"#]
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let both = format!(
            r#"{{"config":{{"digest":"{}"}},"manifests":[]}}"#,
            hash("a")
        );
        for text in [
            "",
            "<html>",
            "{}",
            r#"{"schemaVersion":1,"fsLayers":[]}"#,
            r#"{"config":{"digest":"sha256:1"}}"#,
            r#"{"manifests":[{"digest":"x"}]}"#,
            &both,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,40}") {
            let _ = parse(&content);
            let _ = time(&text);
        }
    }
}
