//! An image with the version in which it runs, or in which a spec names it.

use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::policy::Current;
use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;

/// An image in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveImage {
    /// Which image.
    pub name: ImageName,
    /// Its name as it is written there.
    pub spelling: String,
    /// The version in use.
    pub version: Current,
}

impl LiveImage {
    /// Reads `name[:tag][@digest]`; `None` where the name is none. A tag may be any text, and a digest that is none is left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let entry = KustomizeImage::parse(text);
        // A name of its own has no place in what runs.
        entry.name.is_none().then(|| Self::of(&entry)).flatten()
    }

    /// The image that an entry of `kustomize.images` makes.
    #[must_use]
    pub fn of(entry: &KustomizeImage) -> Option<Self> {
        Some(Self {
            name: entry.image()?,
            spelling: entry.new_name.clone(),
            version: Current {
                tag: entry.tag.clone().filter(|tag| !tag.is_empty()),
                digest: entry
                    .digest
                    .as_deref()
                    .and_then(|text| Digest::parse(text).ok()),
            },
        })
    }
}

/// Reads a version as it stands in a parameter for the tag: `tag`, `tag@digest` or a digest alone.
#[must_use]
pub fn parse_version(text: &str) -> Current {
    let (tag, digest) = match text.split_once('@') {
        Some((tag, digest)) => (tag, Digest::parse(digest).ok()),
        None => match Digest::parse(text) {
            Ok(digest) => ("", Some(digest)),
            Err(_) => (text, None),
        },
    };
    Current {
        tag: (!tag.is_empty()).then(|| tag.to_owned()),
        digest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::digest;
    use proptest::prelude::*;

    fn current(tag: Option<&str>, digest: Option<&str>) -> Current {
        Current {
            tag: tag.map(str::to_owned),
            digest: digest.map(|digest| Digest::parse(digest).unwrap()),
        }
    }

    #[test]
    fn images_in_use() {
        let sha = digest('a');
        for (text, spelling, tag, digest) in [
            ("nginx", "nginx", None, None),
            (
                "docker.io/library/nginx:1.25",
                "docker.io/library/nginx",
                Some("1.25"),
                None,
            ),
            ("nginx:not~a!tag", "nginx", Some("not~a!tag"), None),
            (&format!("nginx@{sha}"), "nginx", None, Some(sha.as_str())),
            (
                &format!("nginx:1@{sha}"),
                "nginx",
                Some("1"),
                Some(sha.as_str()),
            ),
            ("nginx:1@sha256:short", "nginx", Some("1"), None),
        ] {
            let live = LiveImage::parse(text).unwrap();
            assert_eq!(live.name.to_string(), "docker.io/library/nginx", "{text:?}");
            assert_eq!(live.spelling, spelling, "{text:?}");
            assert_eq!(live.version, current(tag, digest), "{text:?}");
        }
        for text in ["", ":1", "a b", "web=nginx:1"] {
            assert_eq!(LiveImage::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn versions_in_a_parameter() {
        let sha = digest('a');
        for (text, tag, digest) in [
            ("1.25", Some("1.25"), None),
            (&format!("latest@{sha}"), Some("latest"), Some(sha.as_str())),
            (&format!("@{sha}"), None, Some(sha.as_str())),
            (&sha, None, Some(sha.as_str())),
            ("", None, None),
        ] {
            assert_eq!(parse_version(text), current(tag, digest), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = LiveImage::parse(&text);
            let _ = parse_version(&text);
        }
    }
}
