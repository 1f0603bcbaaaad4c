//! What is announced by a Kubernetes Event.

use crate::domain::change::ImageChange;
use crate::domain::reference::ImageName;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::conditions;

/// Something that happened to an object, for the people who look after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The object.
    pub about: Subject,
    /// Whether all is well.
    pub class: Class,
    /// What happened, for programs.
    pub reason: &'static str,
    /// What happened, for people.
    pub message: String,
    /// More of it, for programs: names and values of annotations.
    pub annotations: Vec<(String, String)>,
}

/// An object that something happens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// An Application.
    Application(ResourceId),
    /// An ImageUpdater.
    ImageUpdater(ResourceId),
    /// A ConfigMap.
    ConfigMap(ResourceId),
}

/// Whether all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is.
    Normal,
    /// Somebody should look at it.
    Warning,
}

impl Announcement {
    /// Images of an Application were changed. Reason, text and annotations are those of the Go program.
    #[must_use]
    pub fn images_updated(application: &ResourceId, changes: &[ImageChange]) -> Self {
        let name = &application.name;
        let annotations = changes.iter().enumerate().flat_map(|(index, change)| {
            [
                ("full-image-name", change.image.as_str()),
                ("image-name", without_registry(&change.image)),
                ("old-tag", &change.old),
                ("new-tag", &change.new),
            ]
            .map(|(what, value)| {
                let key = format!("argocd-image-updater.image-{index}/{what}");
                (key, value.to_owned())
            })
        });
        Self {
            annotations: annotations.collect(),
            ..Self::normal(
                Subject::Application(application.clone()),
                "ImagesUpdated",
                format!("Successfully updated application '{name}'"),
            )
        }
    }

    /// Images of an Application cannot be changed, from now on.
    #[must_use]
    pub fn update_failed(application: &ResourceId, image: &ImageName, reason: &str) -> Self {
        let name = &application.name;
        Self::warning(
            Subject::Application(application.clone()),
            "ImageUpdateFailed",
            format!("Failed to update {image} in application '{name}': {reason}"),
        )
    }

    /// What could not be changed in an Application has been changed.
    #[must_use]
    pub fn update_recovered(application: &ResourceId, image: &ImageName) -> Self {
        let name = &application.name;
        Self::normal(
            Subject::Application(application.clone()),
            "ImageUpdateRecovered",
            format!("Updating {image} in application '{name}' works again"),
        )
    }

    /// What could not be changed in an Application was changed by somebody else.
    #[must_use]
    pub fn update_overtaken(application: &ResourceId, image: &ImageName) -> Self {
        let name = &application.name;
        Self::normal(
            Subject::Application(application.clone()),
            "ImageUpdateRecovered",
            format!(
                "The update of {image} in application '{name}' that failed is over: somebody else changed it there"
            ),
        )
    }

    /// An ImageUpdater wants changes to be kept in a way that does not exist yet.
    #[must_use]
    pub fn method_not_supported(updater: &ResourceId) -> Self {
        Self::warning(
            Subject::ImageUpdater(updater.clone()),
            conditions::METHOD_NOT_SUPPORTED,
            conditions::METHOD_MESSAGE.to_owned(),
        )
    }

    /// All is well.
    #[must_use]
    pub fn normal(about: Subject, reason: &'static str, message: String) -> Self {
        Self {
            about,
            class: Class::Normal,
            reason,
            message,
            annotations: Vec::new(),
        }
    }

    /// Somebody should look at it.
    #[must_use]
    pub fn warning(about: Subject, reason: &'static str, message: String) -> Self {
        Self {
            class: Class::Warning,
            ..Self::normal(about, reason, message)
        }
    }
}

/// A name as the user spells it, without the registry.
fn without_registry(spelling: &str) -> &str {
    let is_registry = |first: &str| first == "localhost" || first.contains(['.', ':']);
    match spelling.split_once('/') {
        Some((first, rest)) if is_registry(first) => rest,
        _ => spelling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::id;

    #[test]
    fn every_changed_image_is_annotated() {
        let change = |image: &str| ImageChange {
            updater: id("u"),
            alias: "x".to_owned(),
            image: image.to_owned(),
            old: "1".to_owned(),
            new: "2".to_owned(),
            remark: None,
        };
        let changes = [change("ghcr.io/acme/web"), change("acme/api")];
        let announced = Announcement::images_updated(&id("shop"), &changes);
        assert_eq!(announced.class, Class::Normal);
        assert_eq!(announced.message, "Successfully updated application 'shop'");
        let expected = [
            ("image-0/full-image-name", "ghcr.io/acme/web"),
            ("image-0/image-name", "acme/web"),
            ("image-0/old-tag", "1"),
            ("image-0/new-tag", "2"),
            ("image-1/full-image-name", "acme/api"),
            ("image-1/image-name", "acme/api"),
            ("image-1/old-tag", "1"),
            ("image-1/new-tag", "2"),
        ];
        let expected =
            expected.map(|(key, value)| (format!("argocd-image-updater.{key}"), value.to_owned()));
        assert_eq!(announced.annotations, expected);
    }

    #[test]
    fn names_without_registry() {
        for (spelling, expected) in [
            ("nginx", "nginx"),
            ("docker.io/nginx", "nginx"),
            ("localhost:5000/a/b", "a/b"),
            ("localhost/a", "a"),
        ] {
            assert_eq!(without_registry(spelling), expected);
        }
    }
}
