//! One entry of an Application's `kustomize.images`.

use std::fmt;

use crate::domain::reference::ImageName;
use crate::domain::reference::split_name;
use crate::domain::reference::write_version;

/// `[name=]newname[:tag][@digest]`, in the language of `kustomize edit set image`. Every text is one; nothing of it is lost, so that an
/// entry is shown as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KustomizeImage {
    /// The image's name in the manifests, where it is not the new name itself.
    pub name: Option<String>,
    /// The name that the image gets.
    pub new_name: String,
    /// The tag that it gets.
    pub tag: Option<String>,
    /// The digest that it gets.
    pub digest: Option<String>,
}

impl KustomizeImage {
    /// Takes an entry apart.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (name, image) = match text.split_once('=') {
            Some((name, image)) => (Some(name.to_owned()), image),
            None => (None, text),
        };
        let (image, digest) = match image.split_once('@') {
            Some((image, digest)) => (image, Some(digest.to_owned())),
            None => (image, None),
        };
        let (new_name, tag) = split_name(image);
        Self {
            name,
            new_name: new_name.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        }
    }

    /// The image's name in the manifests, by which kustomize finds what it replaces. It compares the text, not what it means.
    #[must_use]
    pub fn replaced_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.new_name)
    }

    /// Whether both are for one image in the manifests, so that there is room for one of them only. Kustomize tells by the text of the
    /// name; where neither gives one apart, two spellings of an image are one too.
    #[must_use]
    pub fn is_in_place_of(&self, other: &Self) -> bool {
        let no_names = self.name.is_none() && other.name.is_none();
        self.replaced_name() == other.replaced_name()
            || (no_names && self.image().is_some() && self.image() == other.image())
    }

    /// Which image it becomes; `None` where the new name is none.
    #[must_use]
    pub fn image(&self) -> Option<ImageName> {
        ImageName::parse(&self.new_name).ok()
    }
}

impl fmt::Display for KustomizeImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        f.write_str(&self.new_name)?;
        write_version(f, self.tag.as_ref(), self.digest.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_are_taken_apart() {
        for (text, name, new_name, tag, digest) in [
            ("nginx", None, "nginx", None, None),
            ("nginx:1.25", None, "nginx", Some("1.25"), None),
            (
                "localhost:5000/nginx",
                None,
                "localhost:5000/nginx",
                None,
                None,
            ),
            (
                "web=localhost:5000/nginx:1@sha256:ab",
                Some("web"),
                "localhost:5000/nginx",
                Some("1"),
                Some("sha256:ab"),
            ),
            ("nginx@sha256:ab", None, "nginx", None, Some("sha256:ab")),
            ("web=*:1", Some("web"), "*", Some("1"), None),
            ("web=", Some("web"), "", None, None),
        ] {
            let entry = KustomizeImage::parse(text);
            assert_eq!(entry.name.as_deref(), name, "{text:?}");
            assert_eq!(entry.new_name, new_name, "{text:?}");
            assert_eq!(entry.tag.as_deref(), tag, "{text:?}");
            assert_eq!(entry.digest.as_deref(), digest, "{text:?}");
            assert_eq!(entry.replaced_name(), name.unwrap_or(new_name), "{text:?}");
        }
    }

    #[test]
    fn an_image_is_known_whatever_its_spelling() {
        let image = |text| KustomizeImage::parse(text).image();
        assert_eq!(image("web=docker.io/nginx:1"), image("library/nginx"));
        assert_eq!(image("web=*:1"), None);
    }

    #[test]
    fn two_entries_for_one_image_in_the_manifests_are_in_the_same_place() {
        let same =
            |one, other| KustomizeImage::parse(one).is_in_place_of(&KustomizeImage::parse(other));
        assert!(same("nginx:1.27", "nginx:1.28"));
        assert!(same("nginx=mirror/nginx:1", "nginx:1.28"));
        assert!(same("docker.io/library/nginx:1", "nginx@sha256:ab"));
        assert!(same("web=:1", "web=nginx"));
        assert!(!same("web=nginx:1", "nginx:1"));
        assert!(!same("nginx:1", "nginx-unprivileged:1"));
        assert!(!same("web=nginx:1", "cache=nginx:1"));
    }

    proptest! {
        #[test]
        fn an_entry_is_shown_as_it_was_written(text in "\\PC*") {
            prop_assert_eq!(KustomizeImage::parse(&text).to_string(), text);
        }
    }
}
