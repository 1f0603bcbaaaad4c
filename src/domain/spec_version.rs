//! What an Application's spec says of an image.

use super::application::Application;
use super::image_target::{Fields, ImageTarget};
use super::kustomize_image::KustomizeImage;
use super::live_image::{LiveImage, parse_version};
use super::outlet::{NameRole, Outlet};
use super::policy::Current;
use super::reference::ImageName;

/// The versions in which the spec names an image where it is written, one for each place that does. Where another image stands there,
/// its version says nothing about this one.
#[must_use]
pub fn spec_versions(
    application: &Application,
    outlet: &Outlet,
    image: &ImageName,
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
                .filter(|live| live.name == *image)
                .map(|live| live.version)
                .collect()
        }
    }
}

fn fields_version<'a>(
    value: impl Fn(&str) -> Option<&'a str>,
    fields: &Fields,
    name_role: NameRole,
    image: &ImageName,
) -> Option<Current> {
    match fields {
        Fields::Spec(spec) => LiveImage::parse(value(spec)?)
            .filter(|live| live.name == *image)
            .map(|live| live.version),
        Fields::NameAndTag { name, tag } => {
            let named = name
                .as_deref()
                .and_then(&value)
                .map(|name| is_name_of(name, image));
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

/// Whether a text names an image, in whatever spelling.
#[must_use]
pub fn is_name_of(text: &str, image: &ImageName) -> bool {
    ImageName::parse(text).is_ok_and(|name| name == *image)
}

/// The entries of `kustomize.images` that a tracked image is written into, each as it was written and taken apart: those of its name in
/// the manifests where that is given, else those that make this image.
pub fn kustomize_entries<'a>(
    application: &'a Application,
    outlet: &Outlet,
    name: Option<&'a str>,
    image: &'a ImageName,
) -> impl Iterator<Item = (&'a str, KustomizeImage)> {
    outlet
        .source(application)
        .and_then(|source| source.kustomize.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|text| (text.as_str(), KustomizeImage::parse(text)))
        .filter(move |(_, entry)| match name {
            Some(name) => entry.replaced_name() == name,
            None => entry.image().as_ref() == Some(image),
        })
}
