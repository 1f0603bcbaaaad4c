//! What in a source of an Application holds an image.

use thiserror::Error;

use crate::domain::resources::application::SourceType;
use crate::domain::resources::image_updater::ManifestTarget;
use crate::domain::resources::image_updater::NamedTarget;

/// The Helm parameter that takes an image's name where no other is given.
const HELM_NAME: &str = "image.name";
/// The Helm parameter that takes an image's tag where no other is given.
const HELM_TAG: &str = "image.tag";

/// What in a source holds an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageTarget {
    /// Parameters or variables.
    Fields(FieldKind, Fields),
    /// `kustomize.images`: the entry of the image's name in the manifests where that is given, else the entries of the image itself.
    Kustomize(Option<String>),
}

/// What a source's fields are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// `helm.parameters`.
    HelmParameter,
    /// `plugin.env`.
    PluginEnv,
}

impl FieldKind {
    /// What one of them is called in messages.
    #[must_use]
    pub fn named(self, name: &str) -> String {
        match self {
            Self::HelmParameter => format!("helm parameter {name}"),
            Self::PluginEnv => format!("plugin variable {name}"),
        }
    }
}

/// The names of parameters or variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fields {
    /// One for name and version together.
    Spec(String),
    /// One for each of them.
    NameAndTag {
        /// Takes the name; a plugin need not have one.
        name: Option<String>,
        /// Takes the version.
        tag: String,
        /// Which of them the user named.
        given: Given,
    },
}

/// Which parameters or variables `manifestTargets` names. The others have the names that many charts use, so an Application that has one
/// of those need not have this image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Given {
    /// That of the name.
    pub name: bool,
    /// That of the tag.
    pub tag: bool,
}

/// Why an image has no target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// More than one block.
    #[error("manifestTargets has more than one of helm, kustomize and plugin: leave one of them")]
    Several,
    /// A plugin's variable for the name alone.
    #[error("manifestTargets.plugin has no variable for the tag: give tag or spec")]
    NoTag,
}

impl ImageTarget {
    /// Reads `manifestTargets`; `None` where it names nothing.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(target: &ManifestTarget) -> Result<Option<Self>, TargetError> {
        match (&target.helm, &target.kustomize, &target.plugin) {
            (None, None, None) => Ok(None),
            (Some(helm), None, None) => Ok(Some(Self::helm(helm))),
            (None, Some(name), None) => Ok(Some(Self::Kustomize(non_empty(Some(name))))),
            (None, None, Some(plugin)) => Ok(Some(Self::plugin(plugin)?)),
            (Some(_) | None, Some(_) | None, Some(_) | None) => Err(TargetError::Several),
        }
    }

    /// The target in a source of this type for an image that names none; `None` where the type has no such default.
    #[must_use]
    pub fn default_for(source: SourceType) -> Option<Self> {
        match source {
            SourceType::Helm => Some(Self::helm(&NamedTarget::default())),
            SourceType::Kustomize => Some(Self::Kustomize(None)),
            SourceType::Plugin | SourceType::Directory => None,
        }
    }

    /// The type of source that has such a target.
    #[must_use]
    pub fn source_type(&self) -> SourceType {
        match self {
            Self::Fields(FieldKind::HelmParameter, _) => SourceType::Helm,
            Self::Fields(FieldKind::PluginEnv, _) => SourceType::Plugin,
            Self::Kustomize(_) => SourceType::Kustomize,
        }
    }

    /// Name and tag have their defaults each for itself.
    fn helm(target: &NamedTarget) -> Self {
        let (name, tag) = (
            non_empty(target.name.as_ref()),
            non_empty(target.tag.as_ref()),
        );
        let given = Given {
            name: name.is_some(),
            tag: tag.is_some(),
        };
        let fields = non_empty(target.spec.as_ref()).map_or_else(
            || Fields::NameAndTag {
                name: name.or_else(|| Some(HELM_NAME.to_owned())),
                tag: tag.unwrap_or_else(|| HELM_TAG.to_owned()),
                given,
            },
            Fields::Spec,
        );
        Self::Fields(FieldKind::HelmParameter, fields)
    }

    fn plugin(target: &NamedTarget) -> Result<Self, TargetError> {
        let fields = match non_empty(target.spec.as_ref()) {
            Some(spec) => Fields::Spec(spec),
            None => Fields::NameAndTag {
                name: non_empty(target.name.as_ref()),
                tag: non_empty(target.tag.as_ref()).ok_or(TargetError::NoTag)?,
                given: Given {
                    name: true,
                    tag: true,
                },
            },
        };
        Ok(Self::Fields(FieldKind::PluginEnv, fields))
    }
}

impl Fields {
    /// The one that takes the version.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Spec(name) | Self::NameAndTag { tag: name, .. } => name,
        }
    }

    /// The one that takes the name alone.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Spec(_) => None,
            Self::NameAndTag { name, .. } => name.as_deref(),
        }
    }
}

fn non_empty(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: Option<&str>, tag: Option<&str>, spec: Option<&str>) -> NamedTarget {
        NamedTarget {
            name: name.map(str::to_owned),
            tag: tag.map(str::to_owned),
            spec: spec.map(str::to_owned),
        }
    }

    fn helm(target: NamedTarget) -> Result<Option<ImageTarget>, TargetError> {
        ImageTarget::parse(&ManifestTarget {
            helm: Some(target),
            ..ManifestTarget::default()
        })
    }

    fn plugin(target: NamedTarget) -> Result<Option<ImageTarget>, TargetError> {
        ImageTarget::parse(&ManifestTarget {
            plugin: Some(target),
            ..ManifestTarget::default()
        })
    }

    fn variables(fields: Fields) -> ImageTarget {
        ImageTarget::Fields(FieldKind::PluginEnv, fields)
    }

    fn fields(name: Option<&str>, tag: &str, given: (bool, bool)) -> Fields {
        Fields::NameAndTag {
            name: name.map(str::to_owned),
            tag: tag.to_owned(),
            given: Given {
                name: given.0,
                tag: given.1,
            },
        }
    }

    #[test]
    fn helm_names_have_defaults_each_for_itself() {
        for (target, expected) in [
            (
                named(None, None, None),
                fields(Some("image.name"), "image.tag", (false, false)),
            ),
            (
                named(Some("n"), None, None),
                fields(Some("n"), "image.tag", (true, false)),
            ),
            (
                named(None, Some("t"), Some("")),
                fields(Some("image.name"), "t", (false, true)),
            ),
            (
                named(Some("n"), Some("t"), Some("s")),
                Fields::Spec("s".to_owned()),
            ),
        ] {
            assert_eq!(
                helm(target),
                Ok(Some(ImageTarget::Fields(
                    FieldKind::HelmParameter,
                    expected
                )))
            );
        }
    }

    #[test]
    fn a_plugin_needs_a_variable_for_the_version() {
        assert_eq!(
            plugin(named(Some("NAME"), None, None)),
            Err(TargetError::NoTag)
        );
        assert_eq!(
            plugin(named(None, Some("TAG"), None)),
            Ok(Some(variables(fields(None, "TAG", (true, true)))))
        );
        assert_eq!(
            plugin(named(Some("NAME"), Some("TAG"), Some("IMAGE"))),
            Ok(Some(variables(Fields::Spec("IMAGE".to_owned()))))
        );
    }

    #[test]
    fn none_is_no_mistake_and_two_are_one() {
        assert_eq!(ImageTarget::parse(&ManifestTarget::default()), Ok(None));
        assert_eq!(
            ImageTarget::parse(&ManifestTarget {
                helm: Some(NamedTarget::default()),
                kustomize: Some("web".to_owned()),
                plugin: None,
            }),
            Err(TargetError::Several)
        );
    }
}
