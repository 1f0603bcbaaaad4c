//! The changes of one judgement, all of an Application's source together.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Opinion;
use crate::domain::change::ApplicationChange;
use crate::domain::change::Edit;
use crate::domain::change::ImageChange;
use crate::domain::edits::current_text;
use crate::domain::edits::edits;
use crate::domain::edits::version_text;
use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::policy::NewVersion;
use crate::domain::registry::access::Access;
use crate::domain::registry::question::Question;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::tracked_image::TrackedImage;

/// The changes of one judgement.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) by_source: BTreeMap<(ResourceId, SourcePlace), ApplicationChange>,
    pub(super) questions: BTreeMap<Access, BTreeSet<Question>>,
}

impl Changes {
    /// Changes a tracked image, if nothing forbids it.
    pub(super) fn make(
        &mut self,
        tracked: &TrackedImage,
        version: &NewVersion,
        remark: Option<String>,
    ) -> Opinion {
        if let Some(hindrance) = &tracked.hindrance {
            return Opinion::Undecided(hindrance.to_string());
        }
        let outlet = match &tracked.outlet {
            Ok(outlet) => outlet,
            Err(error) => return Opinion::Undecided(error.to_string()),
        };
        let (old, new) = (old_version(tracked), version_text(version));
        let edits = match edits(tracked, outlet, version) {
            Ok(edits) => edits,
            Err(error) => return Opinion::Undecided(error.to_string()),
        };
        if edits.is_empty() {
            return Opinion::Unchanged(format!("version {new} is set in the Application already"));
        }
        let image = ImageChange {
            updater: tracked.updater.id.clone(),
            alias: tracked.rule.image.alias().to_owned(),
            image: tracked.rule.image.spelling().to_owned(),
            old: old.clone(),
            new: new.clone(),
            remark,
        };
        self.add(&tracked.application.id, outlet.place, edits, image);
        Opinion::Change { old, new }
    }

    fn add(
        &mut self,
        application: &ResourceId,
        source: SourcePlace,
        edits: Vec<Edit>,
        image: ImageChange,
    ) {
        let change = self
            .by_source
            .entry((application.clone(), source))
            .or_insert_with(|| ApplicationChange {
                application: application.clone(),
                source,
                edits: Vec::new(),
                images: Vec::new(),
            });
        for edit in edits {
            // Two aliases of one image may take their name from one parameter, each in its own spelling.
            if !change.edits.iter().any(|other| is_same_place(other, &edit)) {
                change.edits.push(edit);
            }
        }
        change.images.push(image);
    }
}

fn is_same_place(one: &Edit, other: &Edit) -> bool {
    match (one, other) {
        (Edit::HelmParameter { name, .. }, Edit::HelmParameter { name: other, .. })
        | (Edit::PluginEnv { name, .. }, Edit::PluginEnv { name: other, .. }) => name == other,
        (
            Edit::KustomizeImage {
                expected: None,
                value,
            },
            Edit::KustomizeImage {
                expected: None,
                value: other,
            },
        ) => KustomizeImage::parse(value).is_in_place_of(&KustomizeImage::parse(other)),
        (
            Edit::KustomizeImage { expected, .. },
            Edit::KustomizeImage {
                expected: other, ..
            },
        ) => expected == other,
        (Edit::HelmParameter { .. } | Edit::PluginEnv { .. } | Edit::KustomizeImage { .. }, _) => {
            false
        }
    }
}

/// What a tracked image has: what the spec says, else what runs.
fn old_version(tracked: &TrackedImage) -> String {
    tracked
        .in_use()
        .iter()
        .map(current_text)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}
