//! The edits that put a version of an image into an Application.
//!
//! Only values that differ are edited. An image that stands there under another spelling of its name keeps that spelling: in kustomize's
//! entries it is what matches the manifests. Otherwise the name is written as the ImageUpdater spells it.

use super::application::Application;
use super::change::Edit;
use super::configured_image::ConfiguredImage;
use super::image_target::{FieldKind, Fields, ImageTarget};
use super::kustomize_image::KustomizeImage;
use super::live_image::LiveImage;
use super::outlet::{NameRole, Outlet};
use super::policy::{Current, NewVersion};
use super::spec_version::{is_name_of, kustomize_entries};
use super::tracked_image::TrackedImage;

/// The edits that put a version where a tracked image is written. There are none where it stands there already.
#[must_use]
pub fn edits(tracked: &TrackedImage, outlet: &Outlet, version: &NewVersion) -> Vec<Edit> {
    match &outlet.target {
        ImageTarget::Fields(kind, fields) => {
            let writer = FieldWriter {
                image: &tracked.rule.image,
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
    application: &'a Application,
    outlet: &'a Outlet,
    kind: FieldKind,
}

impl FieldWriter<'_> {
    fn edits(&self, fields: &Fields, version: &str) -> Vec<Edit> {
        match fields {
            Fields::Spec(spec) => {
                let spelling = self.spelling_in(spec);
                let value = format!("{spelling}:{version}");
                self.edit(spec, value).into_iter().collect()
            }
            Fields::NameAndTag { name, tag } => {
                let name = name.as_deref().and_then(|name| self.name_edit(name));
                let tag = self.edit(tag, version.to_owned());
                name.into_iter().chain(tag).collect()
            }
        }
    }

    /// The spelling of the image's name in a field for name and version.
    fn spelling_in(&self, spec: &str) -> String {
        self.value(spec)
            .and_then(LiveImage::parse)
            .filter(|written| written.name == *self.image.name())
            .map_or_else(
                || self.image.spelling().to_owned(),
                |written| written.spelling,
            )
    }

    fn name_edit(&self, name: &str) -> Option<Edit> {
        let is_there = self
            .value(name)
            .is_some_and(|value| is_name_of(value, self.image.name()));
        if is_there || self.outlet.name_role == NameRole::Shared {
            return None;
        }
        self.edit(name, self.image.spelling().to_owned())
    }

    fn edit(&self, name: &str, value: String) -> Option<Edit> {
        let expected = self.value(name).map(str::to_owned);
        if expected.as_ref() == Some(&value) {
            return None;
        }
        let name = name.to_owned();
        Some(match self.kind {
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
        })
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
) -> Vec<Edit> {
    let image = &tracked.rule.image;
    let mut edits = Vec::new();
    let mut found = false;
    for (text, entry) in kustomize_entries(&tracked.application, outlet, name, image.name()) {
        found = true;
        let entry = if is_name_of(&entry.new_name, image.name()) {
            entry
        } else {
            new_entry(name, image.spelling())
        };
        let edit = kustomize_edit(Some(text), entry, version);
        // The same entry written twice is one place.
        edits.extend(edit.filter(|edit| !edits.contains(edit)));
    }
    if !found {
        let spelled_live = tracked
            .live
            .as_ref()
            .and_then(|live| live.spelling.as_deref());
        let new_name = match name {
            Some(_) => image.spelling(),
            None => spelled_live.unwrap_or(image.spelling()),
        };
        edits.extend(kustomize_edit(None, new_entry(name, new_name), version));
    }
    edits
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
