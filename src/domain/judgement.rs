//! What pushed tags of an image mean for every Application that tracks it.

use std::collections::BTreeMap;

use super::application::SourcePlace;
use super::change::{ApplicationChange, Edit, ImageChange};
use super::edits::{current_text, edits, version_text};
use super::event::ImageEvent;
use super::index::Index;
use super::policy::{Choice, NewVersion, Pushed};
use super::reference::ImageName;
use super::resource::ResourceId;
use super::tracked_image::TrackedImage;

/// What is to be done, and what was thought about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// One for each tracked image; none where nothing tracks the image.
    pub verdicts: Vec<Verdict>,
    /// All edits of an Application together, at most one for each of its sources.
    pub changes: Vec<ApplicationChange>,
}

/// What was found about one tracked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The Application.
    pub application: ResourceId,
    /// The ImageUpdater.
    pub updater: ResourceId,
    /// The image's alias; empty where it has none.
    pub alias: String,
    /// The image's name in the user's spelling.
    pub image: String,
    /// What was found.
    pub opinion: Opinion,
}

/// What a push means for one tracked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// It is to run the new version.
    Change {
        /// The tag and digest it has, as text; empty where it has none.
        old: String,
        /// The tag and digest it gets, as text.
        new: String,
    },
    /// What it runs stays. The reason is for people.
    Unchanged(String),
    /// It cannot be decided or done here, so what it runs stays. The reason is for people.
    Undecided(String),
}

/// Judges the events of one image that wait together, oldest first. Every tracked image is judged for itself.
#[must_use]
pub fn judge(index: &Index, image: &ImageName, events: &[ImageEvent]) -> Judgement {
    let pushed: Vec<_> = events
        .iter()
        .map(|event| Pushed {
            tag: event.tag.clone(),
            digest: event.digest.clone(),
        })
        .collect();
    let mut changes = Changes::default();
    let verdicts = index
        .tracked(image)
        .map(|tracked| Verdict {
            application: tracked.application.id.clone(),
            updater: tracked.updater.clone(),
            alias: tracked.rule.image.alias().to_owned(),
            image: tracked.rule.image.spelling().to_owned(),
            opinion: opinion(tracked, &pushed, &mut changes),
        })
        .collect();
    Judgement {
        verdicts,
        changes: changes.by_source.into_values().collect(),
    }
}

fn opinion(tracked: &TrackedImage, pushed: &[Pushed], changes: &mut Changes) -> Opinion {
    if tracked.live.is_none() {
        return Opinion::Unchanged(format!(
            "{} is not live in this Application, by its status or, without one, by its spec: set forceUpdate to true to write it all the same",
            tracked.rule.image.spelling()
        ));
    }
    let policy = match &tracked.rule.policy {
        Ok(policy) => policy,
        Err(error) => return Opinion::Undecided(error.to_string()),
    };
    match policy.choose(pushed, &tracked.in_use()) {
        Choice::Change(version) => changes.make(tracked, &version),
        Choice::Unchanged(reason) => Opinion::Unchanged(reason),
        Choice::Undecided(reason) => Opinion::Undecided(reason),
    }
}

/// The changes of one judgement.
#[derive(Debug, Default)]
struct Changes {
    by_source: BTreeMap<(ResourceId, SourcePlace), ApplicationChange>,
}

impl Changes {
    /// Changes a tracked image, if nothing forbids it.
    fn make(&mut self, tracked: &TrackedImage, version: &NewVersion) -> Opinion {
        if let Some(hindrance) = &tracked.hindrance {
            return Opinion::Undecided(hindrance.to_string());
        }
        let outlet = match &tracked.outlet {
            Ok(outlet) => outlet,
            Err(error) => return Opinion::Undecided(error.to_string()),
        };
        let (old, new) = (old_version(tracked), version_text(version));
        let edits = edits(tracked, outlet, version);
        if edits.is_empty() {
            return Opinion::Unchanged(format!("version {new} is set in the Application already"));
        }
        let image = ImageChange {
            alias: tracked.rule.image.alias().to_owned(),
            image: tracked.rule.image.spelling().to_owned(),
            old: old.clone(),
            new: new.clone(),
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
            Edit::KustomizeImage { expected, .. },
            Edit::KustomizeImage {
                expected: other, ..
            },
        ) => expected.is_some() && expected == other,
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
