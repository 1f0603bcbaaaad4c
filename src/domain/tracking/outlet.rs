//! Where in an Application an image is written.

use thiserror::Error;

use crate::domain::resources::application::Application;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::application::SourceType;
use crate::domain::tracking::image_target::FieldKind;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::source_kind::Knowledge;
use crate::domain::tracking::source_kind::SourceKind;
use crate::domain::tracking::source_kind::source_kinds;

/// Where in an Application an image is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// The source.
    pub place: SourcePlace,
    /// What in the source.
    pub target: ImageTarget,
    /// What the parameter or variable for the name means.
    pub name_role: NameRole,
}

/// What the parameter or variable that takes an image's name means. It depends on the Application's other images: the defaults
/// `image.name` and `image.tag` may be those of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameRole {
    /// It is this image's: where it names another image, this one is not in use there. It may be absent.
    Own,
    /// Other images, which have a tag of their own, take it too, so it says nothing. It is neither read nor written.
    Shared,
    /// Other images take the same tag, so this one is in use there only if the name says so.
    Telling,
}

/// Why it is not known where an image is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OutletError {
    /// A source has blocks of several kinds.
    #[error(
        "a source of the Application has more than one of the blocks helm, kustomize and plugin: leave the one that is meant"
    )]
    Contradictory,
    /// Only plain manifests.
    #[error(
        "the Application's manifests are plain ones, in which no image can be set: use kustomize, helm or a plugin"
    )]
    Directory,
    /// Neither the Application nor the image says it.
    #[error(
        "neither the Application nor the image says whether its source is kustomize's or helm's: give the source a kustomize or helm block, or the image manifestTargets"
    )]
    Unknown,
    /// The image says what kind of source, and several may be of that kind.
    #[error(
        "more than one source of the Application may be the one that manifestTargets mean: give that one a helm, kustomize or plugin block"
    )]
    Ambiguous,
    /// A plugin's source and an image that names no variables.
    #[error(
        "the Application's source is a plugin's: name the variables that take the image in manifestTargets.plugin"
    )]
    NoVariables,
    /// The image names a plugin's variables and no source is a plugin's.
    #[error(
        "manifestTargets.plugin is for the source of a plugin, and the Application has none: use manifestTargets.helm or manifestTargets.kustomize"
    )]
    NoPlugin,
}

impl Outlet {
    /// Finds where an image is written, given its `manifestTargets`.
    ///
    /// A source of the kind that they mean comes first. Where there is none, and only one source is of unknown kind, they say what that one
    /// is. Else, or where they mean nothing, the first source in which an image can be set takes it by the defaults of its kind.
    ///
    /// # Errors
    /// [`OutletError`] where that would be a guess.
    pub fn find(
        application: &Application,
        wanted: Option<&ImageTarget>,
    ) -> Result<Self, OutletError> {
        let sources = source_kinds(application);
        if sources
            .iter()
            .any(|source| source.knowledge == Knowledge::Contradictory)
        {
            return Err(OutletError::Contradictory);
        }
        if let Some(target) = wanted
            && let Some(place) = place_for(&sources, target.source_type())?
        {
            return Ok(Self::new(place, target.clone()));
        }
        if matches!(wanted, Some(ImageTarget::Fields(FieldKind::PluginEnv, _))) {
            return Err(OutletError::NoPlugin);
        }
        Self::by_default(&sources)
    }

    fn new(place: SourcePlace, target: ImageTarget) -> Self {
        Self {
            place,
            target,
            name_role: NameRole::Own,
        }
    }

    fn by_default(sources: &[SourceKind<'_>]) -> Result<Self, OutletError> {
        let settable = |source: &SourceKind<'_>| {
            source
                .knowledge
                .source_type()
                .filter(|source_type| *source_type != SourceType::Directory)
        };
        let Some(source_type) = sources.iter().find_map(settable) else {
            let unknown = |source: &SourceKind<'_>| source.knowledge == Knowledge::Unknown;
            return Err(if sources.iter().any(unknown) {
                OutletError::Unknown
            } else {
                OutletError::Directory
            });
        };
        let target = ImageTarget::default_for(source_type).ok_or(OutletError::NoVariables)?;
        let place = known_place(sources, source_type).ok_or(OutletError::Unknown)?;
        Ok(Self::new(place, target))
    }

    /// The value of a parameter or variable of the source; the first where it is there more than once.
    #[must_use]
    pub fn value<'a>(
        &self,
        application: &'a Application,
        kind: FieldKind,
        name: &str,
    ) -> Option<&'a str> {
        self.values(application, kind, name).first().copied()
    }

    /// The values of a parameter or variable of the source, one for each time that it is there.
    #[must_use]
    pub fn values<'a>(
        &self,
        application: &'a Application,
        kind: FieldKind,
        name: &str,
    ) -> Vec<&'a str> {
        match (self.source(application), kind) {
            (None, _) => Vec::new(),
            (Some(source), FieldKind::HelmParameter) => source
                .helm
                .iter()
                .flatten()
                .filter(|parameter| parameter.name == name)
                .map(|parameter| parameter.value.as_str())
                .collect(),
            (Some(source), FieldKind::PluginEnv) => source
                .plugin
                .iter()
                .flatten()
                .filter(|variable| variable.name == name)
                .map(|variable| variable.value.as_str())
                .collect(),
        }
    }

    /// The source that is written.
    #[must_use]
    pub fn source<'a>(&self, application: &'a Application) -> Option<&'a Source> {
        application.sources.at(self.place)
    }
}

/// The source of a kind: one that is known to be of it, else the only one of which nothing is known.
fn place_for(
    sources: &[SourceKind<'_>],
    source_type: SourceType,
) -> Result<Option<SourcePlace>, OutletError> {
    if let Some(place) = known_place(sources, source_type) {
        return Ok(Some(place));
    }
    let mut unknown = sources
        .iter()
        .filter(|source| source.knowledge == Knowledge::Unknown)
        .map(|source| source.place);
    match (unknown.next(), unknown.next()) {
        (Some(_), Some(_)) => Err(OutletError::Ambiguous),
        (only, _) => Ok(only),
    }
}

/// The first source that says itself that it is of a kind, else the first that is known to be.
fn known_place(sources: &[SourceKind<'_>], source_type: SourceType) -> Option<SourcePlace> {
    let first = |knowledge| {
        sources
            .iter()
            .find(|source| source.knowledge == knowledge)
            .map(|source| source.place)
    };
    first(Knowledge::Explicit(source_type)).or_else(|| first(Knowledge::Inferred(source_type)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::ApplicationStatus;
    use crate::domain::resources::application::Sources;
    use crate::domain::testing::application;
    use crate::domain::testing::chart_source;
    use crate::domain::testing::git_source;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::plugin_source;
    use crate::domain::tracking::image_target::Fields;

    fn helm_target() -> ImageTarget {
        ImageTarget::Fields(FieldKind::HelmParameter, Fields::Spec("image".to_owned()))
    }

    fn kustomize_target() -> ImageTarget {
        ImageTarget::Kustomize(Some("web".to_owned()))
    }

    fn plugin_target() -> ImageTarget {
        ImageTarget::Fields(FieldKind::PluginEnv, Fields::Spec("IMAGE".to_owned()))
    }

    fn find(
        sources: Vec<Source>,
        types: &[SourceType],
        wanted: Option<&ImageTarget>,
    ) -> Result<(usize, ImageTarget), OutletError> {
        let mut application = application("web", Source::default());
        application.sources = Sources::Multiple(sources);
        application.status = (!types.is_empty()).then(|| ApplicationStatus {
            source_types: types.to_vec(),
            ..ApplicationStatus::default()
        });
        let outlet = Outlet::find(&application, wanted)?;
        let SourcePlace::Multiple(index) = outlet.place else {
            panic!("{outlet:?}");
        };
        Ok((index, outlet.target))
    }

    fn default_for(source_type: SourceType) -> ImageTarget {
        ImageTarget::default_for(source_type).unwrap()
    }

    #[test]
    fn a_source_of_the_kind_that_is_meant_comes_first() {
        let both = || vec![helm_source(&[]), kustomize_source(&[]), plugin_source(&[])];
        for (wanted, index) in [
            (helm_target(), 0),
            (kustomize_target(), 1),
            (plugin_target(), 2),
        ] {
            assert_eq!(find(both(), &[], Some(&wanted)), Ok((index, wanted)));
        }
        // A source that says so itself goes before one that is only known to be.
        assert_eq!(
            find(
                vec![chart_source(), helm_source(&[])],
                &[],
                Some(&helm_target())
            ),
            Ok((1, helm_target()))
        );
    }

    #[test]
    fn what_an_image_means_tells_the_kind_of_the_only_unknown_source() {
        assert_eq!(
            find(vec![git_source()], &[], Some(&kustomize_target())),
            Ok((0, kustomize_target()))
        );
        assert_eq!(
            find(
                vec![chart_source(), Source::default(), git_source()],
                &[],
                Some(&kustomize_target())
            ),
            Ok((2, kustomize_target()))
        );
        assert_eq!(
            find(
                vec![git_source(), git_source()],
                &[],
                Some(&kustomize_target())
            ),
            Err(OutletError::Ambiguous)
        );
    }

    #[test]
    fn a_target_of_another_kind_gives_way_to_what_the_source_is() {
        let helm_default = default_for(SourceType::Helm);
        assert_eq!(
            find(vec![helm_source(&[])], &[], Some(&kustomize_target())),
            Ok((0, helm_default))
        );
        assert_eq!(
            find(vec![helm_source(&[])], &[], Some(&plugin_target())),
            Err(OutletError::NoPlugin)
        );
    }

    #[test]
    fn an_image_without_a_target_takes_the_default_of_the_first_kind() {
        assert_eq!(
            find(vec![git_source(), chart_source()], &[], None),
            Ok((1, default_for(SourceType::Helm)))
        );
        assert_eq!(
            find(
                vec![git_source(), git_source(), git_source()],
                &[
                    SourceType::Directory,
                    SourceType::Kustomize,
                    SourceType::Helm
                ],
                None
            ),
            Ok((1, ImageTarget::Kustomize(None)))
        );
    }

    #[test]
    fn nothing_is_guessed() {
        for (sources, types, error) in [
            (vec![git_source()], &[][..], OutletError::Unknown),
            (vec![plugin_source(&[])], &[], OutletError::NoVariables),
            (
                vec![git_source()],
                &[SourceType::Directory],
                OutletError::Directory,
            ),
            (
                vec![
                    git_source(),
                    Source {
                        helm: Some(Vec::new()),
                        ..kustomize_source(&[])
                    },
                ],
                &[],
                OutletError::Contradictory,
            ),
        ] {
            assert_eq!(find(sources, types, None), Err(error));
        }
    }
}
