//! Whether a name that stands somewhere is that of a configured image.

use crate::domain::reference::ImageName;
use crate::domain::registry::default_registry::DefaultRegistry;
use crate::domain::tracking::configured_image::ConfiguredImage;

/// What a name is compared with: a configured image, and what names without a registry mean.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    image: &'a ConfiguredImage,
    default: &'a DefaultRegistry,
}

impl<'a> Identity<'a> {
    /// The identity of an image.
    #[must_use]
    pub fn new(image: &'a ConfiguredImage, default: &'a DefaultRegistry) -> Self {
        Self { image, default }
    }

    /// The image in the registry that has it.
    #[must_use]
    pub fn asked(self) -> ImageName {
        let image = self.image;
        self.default.resolve(image.name(), image.spelling())
    }

    /// Whether a name is the image's: it is the same where Docker Hub has names without a registry, or where the default registry has them. The
    /// first is how manifests are pulled, whatever is asked for tags.
    #[must_use]
    pub fn is(self, name: &ImageName, spelling: &str) -> bool {
        name == self.image.name()
            || (!self.default.is_docker_hub()
                && self.default.resolve(name, spelling) == self.asked())
    }

    /// Whether a text is a name of the image.
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        ImageName::parse(text).is_ok_and(|name| self.is(&name, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::default_registry;

    #[test]
    fn a_bare_name_and_the_default_registrys_are_one() {
        let harbor = default_registry("harbor.acme.example", Some("proxy"));
        let hub = DefaultRegistry::default();
        let is = |image: &str, text: &str, default: &DefaultRegistry| {
            let image = ConfiguredImage::parse("", image).unwrap();
            Identity::new(&image, default).is_text(text)
        };
        for (image, text, by_harbor, by_hub) in [
            ("nginx", "harbor.acme.example/proxy/nginx", true, false),
            ("harbor.acme.example/proxy/nginx", "nginx", true, false),
            ("nginx", "nginx", true, true),
            ("nginx", "docker.io/nginx", true, true),
            (
                "harbor.acme.example/proxy/nginx",
                "docker.io/nginx",
                false,
                false,
            ),
            ("harbor.acme.example/a/b", "a/b", true, false),
            ("nginx", "ghcr.io/proxy/nginx", false, false),
            ("nginx", "not a name", false, false),
        ] {
            assert_eq!(is(image, text, &harbor), by_harbor, "{image} {text}");
            assert_eq!(is(image, text, &hub), by_hub, "{image} {text}");
        }
    }
}
