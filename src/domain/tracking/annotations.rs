//! The annotations of an Application that configure its updates, for `applicationRefs` with `useAnnotations: true`.
//!
//! They say the same as an ImageUpdater's `images`, `commonUpdateSettings` and `writeBackConfig`, so they are read into the same types.

use thiserror::Error;

use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ManifestTarget;
use crate::domain::resources::image_updater::NamedTarget;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::WriteBackSettings;
use crate::domain::resources::labels::Labels;

/// What every key starts with.
const PREFIX: &str = "argocd-image-updater.argoproj.io/";

/// What an Application's annotations configure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotated {
    /// `image-list`, with the settings of each alias.
    pub images: Vec<ImageConfig>,
    /// The settings for the whole Application.
    pub settings: UpdateSettings,
    /// `write-back-method` and `write-back-target`.
    pub write_back: WriteBackSettings,
}

/// Why annotations configure nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnnotationError {
    /// There is no `image-list`: this Application is not configured by annotations.
    #[error("annotation {PREFIX}image-list is missing: set it to the images to follow")]
    Missing,
    /// `image-list` names no image.
    #[error("annotation {PREFIX}image-list is empty: set it to the images to follow")]
    Empty,
    /// An entry of `image-list` has an alias and no image.
    #[error("annotation {PREFIX}image-list has no image after {0:?}: write alias=image")]
    NoImage(String),
    /// A value is neither true nor false.
    #[error("annotation {key} is {value:?}: set it to \"true\" or \"false\"")]
    NoBoolean {
        /// The annotation.
        key: String,
        /// Its value.
        value: String,
    },
}

impl Annotated {
    /// Reads an Application's annotations. Values are trimmed, and one that is blank is not set.
    ///
    /// # Errors
    /// [`AnnotationError`] for the first of them that is missing or wrong.
    pub fn parse(annotations: &Labels) -> Result<Self, AnnotationError> {
        let reader = Reader { annotations };
        let list = annotations
            .get(&format!("{PREFIX}image-list"))
            .ok_or(AnnotationError::Missing)?;
        let images: Vec<_> = entries(list)
            .filter(|entry| !entry.is_empty())
            .map(|entry| reader.image(entry))
            .collect::<Result<_, _>>()?;
        if images.is_empty() {
            return Err(AnnotationError::Empty);
        }
        Ok(Self {
            images,
            settings: UpdateSettings {
                // A platform for all images of an Application has never existed as an annotation.
                platforms: None,
                ..reader.settings("")?
            },
            write_back: WriteBackSettings {
                method: reader.text("write-back-method"),
                target: reader.text("write-back-target"),
            },
        })
    }
}

struct Reader<'a> {
    annotations: &'a Labels,
}

impl Reader<'_> {
    fn image(&self, entry: &str) -> Result<ImageConfig, AnnotationError> {
        let (alias, image_name) = split_alias(entry);
        if image_name.is_empty() {
            return Err(AnnotationError::NoImage(entry.to_owned()));
        }
        let mut image = ImageConfig {
            alias: alias.to_owned(),
            image_name: image_name.to_owned(),
            ..ImageConfig::default()
        };
        if !alias.is_empty() {
            let prefix = format!("{alias}.");
            image.settings = self.settings(&prefix)?;
            image.target = self.target(&prefix);
        }
        Ok(image)
    }

    fn settings(&self, prefix: &str) -> Result<UpdateSettings, AnnotationError> {
        Ok(UpdateSettings {
            strategy: self.text(&format!("{prefix}update-strategy")),
            force_update: self.boolean(&format!("{prefix}force-update"))?,
            allow_tags: self.text(&format!("{prefix}allow-tags")),
            ignore_tags: self.list(&format!("{prefix}ignore-tags")),
            pull_secret: self.text(&format!("{prefix}pull-secret")),
            platforms: self
                .list(&format!("{prefix}platforms"))
                .map(|platforms| platforms.into_iter().filter(|p| !p.is_empty()).collect()),
        })
    }

    fn target(&self, prefix: &str) -> ManifestTarget {
        let helm = NamedTarget {
            name: self.text(&format!("{prefix}helm.image-name")),
            tag: self.text(&format!("{prefix}helm.image-tag")),
            spec: self.text(&format!("{prefix}helm.image-spec")),
        };
        ManifestTarget {
            helm: (helm != NamedTarget::default()).then_some(helm),
            kustomize: self.text(&format!("{prefix}kustomize.image-name")),
            plugin: None,
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        let value = self.annotations.get(&format!("{PREFIX}{key}"))?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn list(&self, key: &str) -> Option<Vec<String>> {
        Some(entries(&self.text(key)?).map(str::to_owned).collect())
    }

    /// A boolean in Go's spellings, as they have always been accepted here.
    fn boolean(&self, key: &str) -> Result<Option<bool>, AnnotationError> {
        match self.text(key).as_deref() {
            None => Ok(None),
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(Some(false)),
            Some(value) => Err(AnnotationError::NoBoolean {
                key: format!("{PREFIX}{key}"),
                value: value.to_owned(),
            }),
        }
    }
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Splits `[alias=]image`. What stands before the first `=` is an alias only where it looks like one, since the constraint of an image
/// without alias may have an `=` of its own: `nginx:>=1.0`. No alias has a colon in it, and no constraint comes without one.
fn split_alias(entry: &str) -> (&str, &str) {
    match entry.split_once('=') {
        Some((alias, image)) if alias.is_empty() || is_alias(alias.trim()) => {
            (alias.trim(), image.trim())
        }
        _ => ("", entry),
    }
}

/// `^[a-zA-Z0-9][a-zA-Z0-9-._/]*$`
fn is_alias(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Annotated, AnnotationError> {
        let annotations = pairs
            .iter()
            .map(|(key, value)| (format!("{PREFIX}{key}"), (*value).to_owned()))
            .collect();
        Annotated::parse(&annotations)
    }

    fn images(list: &str) -> Vec<(String, String)> {
        parse(&[("image-list", list)])
            .unwrap()
            .images
            .into_iter()
            .map(|image| (image.alias, image.image_name))
            .collect()
    }

    fn pair(alias: &str, image: &str) -> (String, String) {
        (alias.to_owned(), image.to_owned())
    }

    fn text(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    #[test]
    fn the_list_is_split_at_commas_and_aliases() {
        assert_eq!(
            images(" web=ghcr.io/acme/web:~1.2 , nginx,, db = postgres:16 "),
            [
                pair("web", "ghcr.io/acme/web:~1.2"),
                pair("", "nginx"),
                pair("db", "postgres:16"),
            ]
        );
    }

    #[test]
    fn the_equals_sign_of_a_constraint_makes_no_alias() {
        assert_eq!(
            images("nginx:>=1.0,nginx:<=2,a:!=3,ghcr.io/a/b:=4,web=nginx:>=1.0,=plain"),
            [
                pair("", "nginx:>=1.0"),
                pair("", "nginx:<=2"),
                pair("", "a:!=3"),
                pair("", "ghcr.io/a/b:=4"),
                pair("web", "nginx:>=1.0"),
                pair("", "plain"),
            ]
        );
    }

    #[test]
    fn a_list_that_names_nothing_is_an_error() {
        assert_eq!(parse(&[]), Err(AnnotationError::Missing));
        assert_eq!(parse(&[("image-list", " , ")]), Err(AnnotationError::Empty));
        assert_eq!(
            parse(&[("image-list", "web=")]),
            Err(AnnotationError::NoImage("web=".to_owned()))
        );
    }

    #[test]
    fn settings_of_the_application_and_of_an_alias() {
        let annotated = parse(&[
            ("image-list", "web=nginx,redis"),
            ("update-strategy", " digest "),
            ("ignore-tags", "latest, ,dev-*"),
            ("platforms", "linux/arm64"),
            ("force-update", "T"),
            ("allow-tags", "  "),
            ("write-back-method", "git:secret:argocd/git"),
            ("write-back-target", "kustomization"),
            ("web.update-strategy", "semver"),
            ("web.force-update", "false"),
            ("web.allow-tags", "regexp:^1"),
            ("web.pull-secret", "env:TOKEN"),
            ("web.platforms", "linux/amd64, ,linux/arm64/v8"),
            ("web.helm.image-tag", "web.tag"),
            (".update-strategy", "name"),
        ])
        .unwrap();
        assert_eq!(
            annotated.settings,
            UpdateSettings {
                strategy: text("digest"),
                force_update: Some(true),
                ignore_tags: Some(vec!["latest".to_owned(), String::new(), "dev-*".to_owned()]),
                ..UpdateSettings::default()
            }
        );
        assert_eq!(annotated.write_back.method, text("git:secret:argocd/git"));
        assert_eq!(annotated.write_back.target, text("kustomization"));
        let web = &annotated.images[0];
        assert_eq!(
            web.settings,
            UpdateSettings {
                strategy: text("semver"),
                force_update: Some(false),
                allow_tags: text("regexp:^1"),
                ignore_tags: None,
                pull_secret: text("env:TOKEN"),
                platforms: Some(vec!["linux/amd64".to_owned(), "linux/arm64/v8".to_owned()]),
            }
        );
        assert_eq!(web.target.helm.as_ref().unwrap().tag, text("web.tag"));
        assert_eq!(web.target.kustomize, None);
        assert_eq!(
            annotated.images[1],
            ImageConfig {
                image_name: "redis".to_owned(),
                ..ImageConfig::default()
            }
        );
    }

    #[test]
    fn force_update_is_true_or_false() {
        let error = parse(&[("image-list", "a=nginx"), ("a.force-update", "yes")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "annotation argocd-image-updater.argoproj.io/a.force-update is \"yes\": set it to \"true\" or \"false\""
        );
    }

    proptest! {
        #[test]
        fn an_alias_and_its_image_come_back(
            alias in "[a-zA-Z0-9][a-zA-Z0-9._/-]{0,8}",
            image in "[a-z]{1,8}(:[~^<>=!0-9.]{1,8})?",
        ) {
            prop_assert_eq!(images(&format!("{alias}={image}")), [(alias, image.clone())]);
            prop_assert_eq!(images(&image), [(String::new(), image)]);
        }

        #[test]
        fn parsing_never_panics(list in "\\PC*") {
            let _ = parse(&[("image-list", &list)]);
        }
    }
}
