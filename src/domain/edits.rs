//! The edits that put a version of an image into an Application.
//!
//! Only values that differ are edited. An image that stands there under another spelling of its name keeps that spelling: in kustomize's
//! entries it is what matches the manifests. Otherwise the name is written as the ImageUpdater spells it.

use std::collections::HashSet;

use thiserror::Error;

use crate::domain::change::Edit;
use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::policy::Current;
use crate::domain::policy::NewVersion;
use crate::domain::reference::ImageName;
use crate::domain::resources::application::Application;
use crate::domain::tracking::configured_image::ConfiguredImage;
use crate::domain::tracking::identity::Identity;
use crate::domain::tracking::image_target::FieldKind;
use crate::domain::tracking::image_target::Fields;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::live_image::LiveImage;
use crate::domain::tracking::outlet::NameRole;
use crate::domain::tracking::outlet::Outlet;
use crate::domain::tracking::spec_version::kustomize_entries;
use crate::domain::tracking::tracked_image::TrackedImage;

/// Why a version cannot be put where a tracked image is written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// Another image's name stands in the default parameter for the name.
    #[error(
        "helm parameter {parameter} names {other}: give this image manifestTargets.helm.name and tag, or correct the parameter"
    )]
    OtherImage {
        /// The parameter.
        parameter: String,
        /// What stands there.
        other: String,
    },
    /// An entry of `kustomize.images` makes another image of this one's name, where this one needs an entry of its own.
    #[error(
        "kustomize image {entry} puts another image in the place of {name}: correct or remove it, or give this image manifestTargets.kustomize.name"
    )]
    OtherEntry {
        /// The entry.
        entry: String,
        /// The name in the manifests that both are for.
        name: String,
    },
    /// It cannot be told which of several values is meant.
    #[error("{0} is there more than once in the Application: keep one of them")]
    Twice(String),
}

/// The edits that put a version where a tracked image is written. There are none where it stands there already.
///
/// # Errors
/// [`EditError`] where it cannot be told whether that is the image's place, or which of several is.
pub fn edits(
    tracked: &TrackedImage,
    outlet: &Outlet,
    version: &NewVersion,
) -> Result<Vec<Edit>, EditError> {
    match &outlet.target {
        ImageTarget::Fields(kind, fields) => {
            let writer = FieldWriter {
                image: &tracked.rule.image,
                identity: tracked.identity(),
                application: &tracked.application,
                outlet,
                kind: *kind,
            };
            writer.edits(fields, &version_text(version))
        }
        ImageTarget::Kustomize(name) => kustomize_edits(tracked, outlet, name.as_deref(), version),
    }
}

/// A version as it is shown and as it is written into a tag: `tag` or `tag@digest`.
#[must_use]
pub fn version_text(version: &NewVersion) -> String {
    match &version.digest {
        Some(digest) => format!("{}@{digest}", version.tag),
        None => version.tag.to_string(),
    }
}

/// A version in use as it is shown; empty where there is none.
#[must_use]
pub fn current_text(version: &Current) -> String {
    match (&version.tag, &version.digest) {
        (Some(tag), Some(digest)) => format!("{tag}@{digest}"),
        (Some(tag), None) => tag.clone(),
        (None, Some(digest)) => digest.to_string(),
        (None, None) => String::new(),
    }
}

/// Writes an image into parameters or variables.
struct FieldWriter<'a> {
    image: &'a ConfiguredImage,
    identity: Identity<'a>,
    application: &'a Application,
    outlet: &'a Outlet,
    kind: FieldKind,
}

impl FieldWriter<'_> {
    fn edits(&self, fields: &Fields, version: &str) -> Result<Vec<Edit>, EditError> {
        match fields {
            Fields::Spec(spec) => {
                let spelling = self.spelling_in(spec);
                let value = format!("{spelling}:{version}");
                Ok(self.edit(spec, value)?.into_iter().collect())
            }
            Fields::NameAndTag { name, tag, given } => {
                let name = match name {
                    Some(name) => self.name_edit(name, given.name)?,
                    None => None,
                };
                let tag = self.edit(tag, version.to_owned())?;
                Ok(name.into_iter().chain(tag).collect())
            }
        }
    }

    /// The spelling of the image's name in a field for name and version.
    fn spelling_in(&self, spec: &str) -> String {
        self.value(spec)
            .and_then(LiveImage::parse)
            .filter(|written| self.identity.is(&written.name, &written.spelling))
            .map_or_else(
                || self.image.spelling().to_owned(),
                |written| written.spelling,
            )
    }

    /// A parameter that the user named is this image's, whatever it names now. Where it is only the default, another image's name in it
    /// says that name and tag are that image's.
    fn name_edit(&self, name: &str, is_given: bool) -> Result<Option<Edit>, EditError> {
        if self.outlet.name_role == NameRole::Shared {
            return Ok(None);
        }
        let named = self
            .value(name)
            .and_then(|value| Some((value, ImageName::parse(value).ok()?)));
        match named {
            Some((text, named)) if self.identity.is(&named, text) => Ok(None),
            Some((other, _)) if !is_given => Err(EditError::OtherImage {
                parameter: name.to_owned(),
                other: other.to_owned(),
            }),
            Some(_) | None => self.edit(name, self.image.spelling().to_owned()),
        }
    }

    fn edit(&self, name: &str, value: String) -> Result<Option<Edit>, EditError> {
        let values = self.outlet.values(self.application, self.kind, name);
        if values.len() > 1 {
            return Err(EditError::Twice(self.kind.named(name)));
        }
        let expected = values.first().map(|value| (*value).to_owned());
        if expected.as_ref() == Some(&value) {
            return Ok(None);
        }
        let name = name.to_owned();
        Ok(Some(match self.kind {
            FieldKind::HelmParameter => Edit::HelmParameter {
                name,
                expected,
                value,
            },
            FieldKind::PluginEnv => Edit::PluginEnv {
                name,
                expected,
                value,
            },
        }))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.outlet.value(self.application, self.kind, name)
    }
}

fn kustomize_edits(
    tracked: &TrackedImage,
    outlet: &Outlet,
    name: Option<&str>,
    version: &NewVersion,
) -> Result<Vec<Edit>, EditError> {
    let image = &tracked.rule.image;
    let mut edits = Vec::new();
    let mut found = HashSet::new();
    for (text, entry) in kustomize_entries(&tracked.application, outlet, name, tracked.identity()) {
        if !found.insert(text) {
            return Err(EditError::Twice(format!("kustomize image {text}")));
        }
        let entry = if tracked.identity().is_text(&entry.new_name) {
            entry
        } else {
            new_entry(name, image.spelling())
        };
        edits.extend(kustomize_edit(Some(text), entry, version));
    }
    if found.is_empty() {
        let spelled_live = tracked
            .live
            .as_ref()
            .and_then(|live| live.spelling.as_deref());
        let new_name = match name {
            Some(_) => image.spelling(),
            None => spelled_live.unwrap_or(image.spelling()),
        };
        let entry = new_entry(name, new_name);
        check_place(tracked, outlet, &entry)?;
        edits.extend(kustomize_edit(None, entry, version));
    }
    Ok(edits)
}

/// Kustomize takes one entry for a name in the manifests; a second one would do nothing, or undo the first.
fn check_place(
    tracked: &TrackedImage,
    outlet: &Outlet,
    new: &KustomizeImage,
) -> Result<(), EditError> {
    let entries = outlet
        .source(&tracked.application)
        .and_then(|source| source.kustomize.as_deref())
        .unwrap_or_default();
    let mut entries = entries.iter();
    match entries.find(|entry| KustomizeImage::parse(entry).is_in_place_of(new)) {
        None => Ok(()),
        Some(entry) => Err(EditError::OtherEntry {
            entry: entry.clone(),
            name: new.replaced_name().to_owned(),
        }),
    }
}

fn new_entry(name: Option<&str>, new_name: &str) -> KustomizeImage {
    KustomizeImage {
        name: name.map(str::to_owned),
        new_name: new_name.to_owned(),
        tag: None,
        digest: None,
    }
}

fn kustomize_edit(
    expected: Option<&str>,
    entry: KustomizeImage,
    version: &NewVersion,
) -> Option<Edit> {
    let value = KustomizeImage {
        tag: Some(version.tag.to_string()),
        digest: version.digest.as_ref().map(ToString::to_string),
        ..entry
    }
    .to_string();
    (expected != Some(value.as_str())).then(|| Edit::KustomizeImage {
        expected: expected.map(str::to_owned),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::Source;
    use crate::domain::resources::image_updater::ImageConfig;
    use crate::domain::resources::image_updater::ManifestTarget;
    use crate::domain::resources::image_updater::NamedTarget;
    use crate::domain::testing::application;
    use crate::domain::testing::digest;
    use crate::domain::testing::helm_image;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::live;
    use crate::domain::testing::plugin_source;
    use crate::domain::testing::tracked_images;
    use crate::domain::testing::version;

    fn made(
        application: Application,
        config: ImageConfig,
        to: &str,
    ) -> Result<Vec<Edit>, EditError> {
        let images = tracked_images(application, vec![config]);
        let outlet = images[0].outlet.as_ref().unwrap();
        edits(&images[0], outlet, &version(to))
    }

    /// The edits as `name: old -> new`, where nothing is `-`.
    fn shown(application: Application, config: ImageConfig, to: &str) -> Vec<String> {
        made(application, config, to)
            .unwrap()
            .into_iter()
            .map(|edit| {
                let (name, expected, value) = match edit {
                    Edit::HelmParameter {
                        name,
                        expected,
                        value,
                    }
                    | Edit::PluginEnv {
                        name,
                        expected,
                        value,
                    } => (format!("{name}: "), expected, value),
                    Edit::KustomizeImage { expected, value } => (String::new(), expected, value),
                };
                format!("{name}{} -> {value}", expected.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    fn in_source(source: Source, config: ImageConfig, to: &str) -> Vec<String> {
        shown(application("web", source), config, to)
    }

    fn spec_image(image_name: &str) -> ImageConfig {
        ImageConfig {
            target: ManifestTarget {
                plugin: Some(NamedTarget {
                    spec: Some("IMAGE".to_owned()),
                    ..NamedTarget::default()
                }),
                ..ManifestTarget::default()
            },
            ..image("web", image_name)
        }
    }

    #[test]
    fn only_parameters_that_differ_are_edited() {
        let nginx = || image("web", "docker.io/nginx");
        for (parameters, to, expected) in [
            (
                &[][..],
                "2",
                &["image.name: - -> docker.io/nginx", "image.tag: - -> 2"][..],
            ),
            (
                &[("image.name", "nginx"), ("image.tag", "1")],
                "2",
                &["image.tag: 1 -> 2"],
            ),
            (
                &[("image.name", "{{ no name }}"), ("image.tag", "1")],
                "2",
                &[
                    "image.name: {{ no name }} -> docker.io/nginx",
                    "image.tag: 1 -> 2",
                ],
            ),
            (&[("image.name", "nginx"), ("image.tag", "2")], "2", &[]),
        ] {
            assert_eq!(
                in_source(helm_source(parameters), nginx(), to),
                expected,
                "{parameters:?}"
            );
        }
    }

    #[test]
    fn another_images_name_is_replaced_only_where_the_user_gave_the_parameter() {
        let source = || helm_source(&[("image.name", "redis"), ("image.tag", "7")]);
        for tag in ["", "image.tag"] {
            let error = made(
                application("web", source()),
                helm_image("", "nginx", "", tag),
                "2",
            )
            .unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("helm parameter image.name names redis: "),
                "{error}"
            );
        }
        assert_eq!(
            in_source(source(), helm_image("", "nginx", "image.name", ""), "8"),
            ["image.name: redis -> nginx", "image.tag: 7 -> 8"]
        );
    }

    #[test]
    fn a_place_that_is_there_twice_is_left_alone() {
        for (source, config, place) in [
            (
                helm_source(&[("t", "1"), ("t", "2")]),
                helm_image("", "nginx", "n", "t"),
                "helm parameter t",
            ),
            (
                helm_source(&[("n", "redis"), ("n", "api")]),
                helm_image("", "nginx", "n", "t"),
                "helm parameter n",
            ),
            (
                plugin_source(&[("IMAGE", "nginx:1"), ("IMAGE", "nginx:1")]),
                spec_image("nginx"),
                "plugin variable IMAGE",
            ),
            (
                kustomize_source(&["nginx:1", "redis:7", "nginx:1"]),
                image("", "nginx"),
                "kustomize image nginx:1",
            ),
        ] {
            assert_eq!(
                made(application("web", source), config, "2"),
                Err(EditError::Twice(place.to_owned()))
            );
        }
    }

    #[test]
    fn a_digest_is_written_behind_the_tag() {
        let pinned = format!("latest@{}", digest('a'));
        let nginx = || helm_image("web", "nginx", "n", "t");
        let source = || helm_source(&[("n", "nginx"), ("t", "latest")]);
        assert_eq!(
            in_source(source(), nginx(), &pinned),
            [format!("t: latest -> {pinned}")]
        );
        assert_eq!(
            in_source(
                kustomize_source(&["nginx:latest"]),
                image("", "nginx"),
                &pinned
            ),
            [format!("nginx:latest -> nginx:{pinned}")]
        );
        // A pin of before does not stay.
        let entry = format!("nginx:{pinned}");
        assert_eq!(
            in_source(kustomize_source(&[&entry]), image("", "nginx"), "2"),
            [format!("{entry} -> nginx:2")]
        );
    }

    #[test]
    fn name_and_version_in_one_variable() {
        for (value, expected) in [
            (None, "IMAGE: - -> docker.io/nginx:2"),
            (Some("nginx:1"), "IMAGE: nginx:1 -> nginx:2"),
            (Some("redis:1"), "IMAGE: redis:1 -> docker.io/nginx:2"),
        ] {
            let env: Vec<_> = value.iter().map(|value| ("IMAGE", *value)).collect();
            let edits = in_source(plugin_source(&env), spec_image("docker.io/nginx"), "2");
            assert_eq!(edits, [expected]);
        }
        let set = plugin_source(&[("IMAGE", "library/nginx:2")]);
        assert_eq!(in_source(set, spec_image("nginx"), "2"), [""; 0]);
    }

    #[test]
    fn an_entry_keeps_its_name_and_its_spelling() {
        let entries = [
            "redis:7",
            "docker.io/library/nginx:1",
            "web=nginx:1",
            "side=quay.io/acme/nginx:1",
        ];
        assert_eq!(
            in_source(
                kustomize_source(&entries),
                image("", "docker.io/nginx"),
                "2"
            ),
            [
                "docker.io/library/nginx:1 -> docker.io/library/nginx:2",
                "web=nginx:1 -> web=nginx:2"
            ]
        );
    }

    #[test]
    fn an_entry_is_found_by_its_name_in_the_manifests() {
        let web = || kustomize_image("", "ghcr.io/acme/web", "web");
        for (entry, expected) in [
            (
                "web=ghcr.io/acme/web:1",
                "web=ghcr.io/acme/web:1 -> web=ghcr.io/acme/web:2",
            ),
            ("web:1", "web:1 -> web=ghcr.io/acme/web:2"),
            (
                "web=quay.io/acme/web:1",
                "web=quay.io/acme/web:1 -> web=ghcr.io/acme/web:2",
            ),
            ("ghcr.io/acme/web:1", "- -> web=ghcr.io/acme/web:2"),
            ("other=ghcr.io/acme/web:1", "- -> web=ghcr.io/acme/web:2"),
        ] {
            assert_eq!(
                in_source(kustomize_source(&[entry]), web(), "2"),
                [expected]
            );
        }
        let set = kustomize_source(&["web=ghcr.io/acme/web:2"]);
        assert_eq!(in_source(set, web(), "2"), [""; 0]);
        let nginx = kustomize_image("", "docker.io/nginx", "nginx");
        assert_eq!(
            in_source(kustomize_source(&["nginx:1"]), nginx, "2"),
            ["nginx:1 -> nginx:2"]
        );
    }

    #[test]
    fn no_entry_is_added_beside_one_that_makes_another_image_of_the_name() {
        let with = |entry| {
            let mut application = application("web", kustomize_source(&["redis:7", entry]));
            application.status = Some(live(&["nginx:1"]));
            application
        };
        for entry in ["nginx=other:1", "nginx=:1"] {
            let error = made(with(entry), image("", "nginx"), "2").unwrap_err();
            let words = format!("kustomize image {entry} puts another image in the place of nginx");
            assert!(error.to_string().starts_with(&words), "{error}");
        }
        assert_eq!(
            shown(with("web=other:1"), image("", "nginx"), "2"),
            ["- -> nginx:2"]
        );
        let nginx = kustomize_image("", "nginx", "nginx");
        assert_eq!(
            shown(with("nginx=other:1"), nginx, "2"),
            ["nginx=other:1 -> nginx=nginx:2"]
        );
    }

    #[test]
    fn a_new_entry_is_spelled_as_the_manifests_are() {
        let running = |images: &[&str]| {
            let mut application = application("web", kustomize_source(&[]));
            application.status = Some(live(images));
            application
        };
        for (images, expected) in [
            (&["nginx:1"][..], "- -> nginx:2"),
            (
                &["docker.io/library/nginx:1"],
                "- -> docker.io/library/nginx:2",
            ),
            (&["docker.io/library/nginx:1", "nginx:1"], "- -> nginx:2"),
        ] {
            assert_eq!(shown(running(images), image("", "nginx"), "2"), [expected]);
        }
    }
}
