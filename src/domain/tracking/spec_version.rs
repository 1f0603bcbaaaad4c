//! What an Application's spec says of an image.

use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::policy::Current;
use crate::domain::resources::application::Application;
use crate::domain::tracking::identity::Identity;
use crate::domain::tracking::image_target::FieldKind;
use crate::domain::tracking::image_target::Fields;
use crate::domain::tracking::image_target::Given;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::live_image::LiveImage;
use crate::domain::tracking::live_image::parse_version;
use crate::domain::tracking::outlet::NameRole;
use crate::domain::tracking::outlet::Outlet;

/// The versions in which the spec names an image where it is written, one for each place that does. Where another image stands there,
/// its version says nothing about this one.
#[must_use]
pub fn spec_versions(
    application: &Application,
    outlet: &Outlet,
    image: Identity<'_>,
) -> Vec<Current> {
    match &outlet.target {
        ImageTarget::Fields(kind, fields) => {
            let value = |name: &str| {
                outlet
                    .value(application, *kind, name)
                    .filter(|value| !value.is_empty())
            };
            fields_version(value, fields, outlet.name_role, image)
                .into_iter()
                .collect()
        }
        ImageTarget::Kustomize(name) => {
            kustomize_entries(application, outlet, name.as_deref(), image)
                .filter_map(|(_, entry)| LiveImage::of(&entry))
                .filter(|live| image.is(&live.name, &live.spelling))
                .map(|live| live.version)
                .collect()
        }
    }
}

fn fields_version<'a>(
    value: impl Fn(&str) -> Option<&'a str>,
    fields: &Fields,
    name_role: NameRole,
    image: Identity<'_>,
) -> Option<Current> {
    match fields {
        Fields::Spec(spec) => LiveImage::parse(value(spec)?)
            .filter(|live| image.is(&live.name, &live.spelling))
            .map(|live| live.version),
        Fields::NameAndTag { name, tag, .. } => {
            let named = name
                .as_deref()
                .and_then(&value)
                .map(|name| image.is_text(name));
            let version = value(tag).map(parse_version);
            match (name_role, named) {
                (NameRole::Own | NameRole::Telling, Some(true)) => {
                    Some(version.unwrap_or_default())
                }
                (NameRole::Own | NameRole::Telling, Some(false)) | (NameRole::Telling, None) => {
                    None
                }
                (NameRole::Own, None) | (NameRole::Shared, Some(_) | None) => version,
            }
        }
    }
}

/// Whether what stands in an Application's parameters can be taken for this image without a report of what runs. The default parameter of
/// a tag alone cannot: many charts have one, for an image that they name themselves.
#[must_use]
pub fn is_told_by_fields(
    application: &Application,
    outlet: &Outlet,
    fields: &Fields,
    kind: FieldKind,
    image: Identity<'_>,
) -> bool {
    match fields {
        Fields::NameAndTag {
            name,
            given: Given { tag: false, .. },
            ..
        } => name
            .as_deref()
            .and_then(|name| outlet.value(application, kind, name))
            .is_some_and(|name| image.is_text(name)),
        Fields::Spec(_) | Fields::NameAndTag { .. } => true,
    }
}

/// The entries of `kustomize.images` that a tracked image is written into, each as it was written and taken apart: those of its name in
/// the manifests where that is given, else those that make this image.
pub fn kustomize_entries<'a>(
    application: &'a Application,
    outlet: &Outlet,
    name: Option<&'a str>,
    image: Identity<'a>,
) -> impl Iterator<Item = (&'a str, KustomizeImage)> {
    outlet
        .source(application)
        .and_then(|source| source.kustomize.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|text| (text.as_str(), KustomizeImage::parse(text)))
        .filter(move |(_, entry)| match name {
            Some(name) => entry.replaced_name() == name,
            None => image.is_text(&entry.new_name),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registry::default_registry::DefaultRegistry;
    use crate::domain::resources::application::Source;
    use crate::domain::testing::application;
    use crate::domain::testing::digest;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::plugin_source;
    use crate::domain::tracking::configured_image::ConfiguredImage;
    use crate::domain::tracking::outlet::NameRole;

    fn texts(source: Source, target: &ImageTarget, name_role: NameRole) -> Vec<String> {
        let application = application("web", source);
        let mut outlet = Outlet::find(&application, Some(target)).unwrap();
        outlet.name_role = name_role;
        let image = ConfiguredImage::parse("", "nginx").unwrap();
        let default = DefaultRegistry::default();
        spec_versions(&application, &outlet, Identity::new(&image, &default))
            .iter()
            .map(|version| {
                let tag = version.tag.as_deref().unwrap_or("-");
                let pin = version.digest.as_ref().map_or("", |_| "@");
                format!("{tag}{pin}")
            })
            .collect()
    }

    fn name_and_tag(kind: FieldKind) -> ImageTarget {
        let fields = Fields::NameAndTag {
            name: Some("name".to_owned()),
            tag: "tag".to_owned(),
            given: Given {
                name: true,
                tag: true,
            },
        };
        ImageTarget::Fields(kind, fields)
    }

    #[test]
    fn a_name_and_a_tag() {
        let pinned = format!("latest@{}", digest('a'));
        for (fields, own, shared, telling) in [
            (&[][..], None, None, None),
            (&[("tag", "1")], Some("1"), Some("1"), None),
            (&[("name", ""), ("tag", "1")], Some("1"), Some("1"), None),
            (
                &[("tag", "1"), ("name", "docker.io/library/nginx")],
                Some("1"),
                Some("1"),
                Some("1"),
            ),
            (&[("name", "redis"), ("tag", "1")], None, Some("1"), None),
            (&[("name", "nginx")], Some("-"), None, Some("-")),
            (
                &[("name", "nginx"), ("tag", pinned.as_str())],
                Some("latest@"),
                Some("latest@"),
                Some("latest@"),
            ),
        ] {
            for (role, expected) in [
                (NameRole::Own, own),
                (NameRole::Shared, shared),
                (NameRole::Telling, telling),
            ] {
                let expected: Vec<_> = expected.into_iter().collect();
                let helm = name_and_tag(FieldKind::HelmParameter);
                assert_eq!(
                    texts(helm_source(fields), &helm, role),
                    expected,
                    "{fields:?} {role:?}"
                );
                let plugin = name_and_tag(FieldKind::PluginEnv);
                assert_eq!(texts(plugin_source(fields), &plugin, role), expected);
            }
        }
    }

    #[test]
    fn name_and_tag_in_one() {
        for (value, expected) in [
            ("docker.io/nginx:1", &["1"][..]),
            ("nginx", &["-"]),
            ("redis:1", &[]),
            ("", &[]),
            ("not an image", &[]),
        ] {
            let spec = Fields::Spec("image".to_owned());
            let target = ImageTarget::Fields(FieldKind::HelmParameter, spec);
            let source = helm_source(&[("image", value)]);
            assert_eq!(texts(source, &target, NameRole::Own), expected, "{value:?}");
        }
    }

    #[test]
    fn entries_of_kustomize() {
        let entries = [
            "redis:7",
            "docker.io/library/nginx:1",
            "web=nginx:2",
            "nginx=quay.io/acme/nginx:3",
        ];
        for (name, expected) in [
            (None, &["1", "2"][..]),
            (Some("web"), &["2"]),
            // Another image stands there.
            (Some("nginx"), &[]),
            (Some("redis"), &[]),
        ] {
            let target = ImageTarget::Kustomize(name.map(str::to_owned));
            assert_eq!(
                texts(kustomize_source(&entries), &target, NameRole::Own),
                expected,
                "{name:?}"
            );
        }
    }
}
