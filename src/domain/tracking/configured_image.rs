//! An image as an ImageUpdater names it.

use std::fmt;

use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;
use crate::domain::reference::ReferenceError;
use crate::domain::reference::split_name;

/// `imageName`, taken apart, with its alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfiguredImage {
    alias: String,
    name: ImageName,
    spelling: String,
    constraint: Option<String>,
}

impl ConfiguredImage {
    /// Parses `[registry[:port]/]repository[:constraint][@digest]`. The constraint may be any text: what it means is the policy's
    /// business. A digest is checked and then means nothing, as it names no version to follow.
    ///
    /// # Errors
    /// The part that is wrong, see [`ReferenceError`].
    pub fn parse(alias: &str, image_name: &str) -> Result<Self, ReferenceError> {
        let text = image_name.trim();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        digest.map(Digest::parse).transpose()?;
        let (spelling, constraint) = split_name(rest);
        Ok(Self {
            alias: alias.to_owned(),
            name: ImageName::parse(spelling)?,
            spelling: spelling.to_ascii_lowercase(),
            constraint: constraint
                .map(str::trim)
                .filter(|constraint| !constraint.is_empty())
                .map(str::to_owned),
        })
    }

    /// The alias; empty where it has none.
    #[must_use]
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// Which image it is, whatever its spelling.
    #[must_use]
    pub fn name(&self) -> &ImageName {
        &self.name
    }

    /// The name as the user wrote it, without constraint and digest, and without capitals, with which nothing could be pulled. This is
    /// what is written into Applications.
    #[must_use]
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// The text after the name's colon.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }
}

/// What people call it in messages: its spelling, and its alias where it has one.
impl fmt::Display for ConfiguredImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alias.is_empty() {
            f.write_str(&self.spelling)
        } else {
            write!(f, "{} ({})", self.spelling, self.alias)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn assert_parts(text: &str, name: &str, spelling: &str, constraint: Option<&str>) {
        let image = ConfiguredImage::parse("web", text).unwrap();
        assert_eq!(image.name().to_string(), name);
        assert_eq!(image.spelling(), spelling);
        assert_eq!(image.constraint(), constraint);
        assert_eq!(image.alias(), "web");
    }

    #[test]
    fn names_are_known_in_every_spelling() {
        let nginx = "docker.io/library/nginx";
        assert_parts("nginx", nginx, "nginx", None);
        assert_parts("nginx:1.17", nginx, "nginx", Some("1.17"));
        assert_parts(" library/nginx ", nginx, "library/nginx", None);
        assert_parts("docker.io/library/nginx:1", nginx, nginx, Some("1"));
        assert_parts(
            "ghcr.io/Acme-Labs/web:1.X",
            "ghcr.io/acme-labs/web",
            "ghcr.io/acme-labs/web",
            Some("1.X"),
        );
        let own = "harbor.acme.example/library/a";
        assert_parts("harbor.acme.example/library/a:~1", own, own, Some("~1"));
    }

    #[test]
    fn a_constraint_may_be_any_text_and_a_port_is_none() {
        let nginx = "docker.io/library/nginx";
        assert_parts("nginx:", nginx, "nginx", None);
        assert_parts("nginx:>=1.0", nginx, "nginx", Some(">=1.0"));
        let foo = "localhost:5000/foo";
        assert_parts("localhost:5000/foo", foo, foo, None);
        assert_parts("localhost:5000/foo:~1", foo, foo, Some("~1"));
        let any = "^1 || >= 3, <4";
        assert_parts(
            &format!("registry:5000/foo:{any}"),
            "registry:5000/foo",
            "registry:5000/foo",
            Some(any),
        );
    }

    #[test]
    fn a_digest_is_left_out() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = "gcr.io/a/b";
        assert_parts(&format!("gcr.io/a/b:t@{digest}"), image, image, Some("t"));
        assert_parts(&format!("gcr.io/a/b@{digest}"), image, image, None);
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in ["", " ", ":1", "a b:1", "ghcr.io/:1", "nginx@sha256:12"] {
            assert!(ConfiguredImage::parse("", text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_constraint_never_changes_the_name(
            name in "([a-z]{1,8}(\\.[a-z]{2,3}|:[0-9]{1,4})/)?[a-z]{1,8}(/[a-z]{1,8})?",
            constraint in "[~^<>=!| ,0-9x.*-]{0,12}",
        ) {
            let image = ConfiguredImage::parse("", &format!("{name}:{constraint}")).unwrap();
            prop_assert_eq!(image.spelling(), name.as_str());
            prop_assert_eq!(image.constraint().unwrap_or_default(), constraint.trim());
            prop_assert_eq!(image.name(), &ImageName::parse(&name).unwrap());
        }

        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = ConfiguredImage::parse("", &text);
        }
    }
}
