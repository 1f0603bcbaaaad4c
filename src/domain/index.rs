//! From an image to everything that tracks it, so that an event costs what it affects and not what exists.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::application::Application;
use super::application_images::application_images;
use super::image_updater::ImageUpdater;
use super::problem::Problem;
use super::problem_ledger::ProblemLedger;
use super::reference::ImageName;
use super::resource::ResourceId;
use super::resources::Resources;
use super::tracked_image::TrackedImage;
use super::updater_rules::UpdaterRules;

/// All tracked images, by image.
#[derive(Debug, Default)]
pub struct Index {
    /// By namespace, the one that decides first.
    updaters: HashMap<String, Vec<UpdaterRules>>,
    applications: HashMap<ResourceId, Entry>,
    trackers: HashMap<ImageName, BTreeSet<ResourceId>>,
    ledger: ProblemLedger,
    /// Counts refreshes, to tell which Applications are gone.
    round: u64,
}

/// What is known of an Application.
#[derive(Debug)]
struct Entry {
    application: Arc<Application>,
    images: Vec<TrackedImage>,
    problems: Vec<Problem>,
    /// The last refresh that knew it.
    round: u64,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Brings it up to date, and answers the problems that were not there before. It looks only at Applications that are another object
    /// than before, and at those of a namespace in which an ImageUpdater is. Of several objects of one name the first counts.
    pub fn refresh(&mut self, resources: &Resources) -> Vec<Problem> {
        self.round += 1;
        let mut problems = Vec::new();
        let changed = self.refresh_updaters(&resources.updaters, &mut problems);
        for application in &resources.applications {
            if !self.is_current(application, &changed) {
                problems.extend(self.look_at(application));
            }
        }
        self.forget_gone();
        problems
    }

    /// Everything that tracks an image, in the order of the Applications' names.
    pub fn tracked(&self, image: &ImageName) -> impl Iterator<Item = &TrackedImage> {
        self.trackers
            .get(image)
            .into_iter()
            .flatten()
            .filter_map(|id| self.applications.get(id))
            .flat_map(|entry| &entry.images)
            .filter(move |tracked| tracked.rule.image.name() == image)
    }

    /// Reads the ImageUpdaters that are new, and answers the namespaces in which something changed.
    fn refresh_updaters(
        &mut self,
        updaters: &[Arc<ImageUpdater>],
        problems: &mut Vec<Problem>,
    ) -> HashSet<String> {
        let mut now: HashMap<String, Vec<&Arc<ImageUpdater>>> = self
            .updaters
            .keys()
            .map(|namespace| (namespace.clone(), Vec::new()))
            .collect();
        for updater in updaters {
            now.entry(updater.id.namespace.clone())
                .or_default()
                .push(updater);
        }
        now.retain(|namespace, updaters| {
            oldest_first(updaters);
            !is_same(self.updaters.get(namespace), updaters)
        });
        now.into_iter()
            .map(|(namespace, updaters)| {
                problems.extend(self.read_updaters(&namespace, &updaters));
                namespace
            })
            .collect()
    }

    /// Reads a namespace's ImageUpdaters, those that are another object than before, and answers the new problems.
    fn read_updaters(&mut self, namespace: &str, updaters: &[&Arc<ImageUpdater>]) -> Vec<Problem> {
        let before = self.updaters.remove(namespace).unwrap_or_default();
        let read_before = |updater: &Arc<ImageUpdater>| {
            before
                .iter()
                .find(|rules| Arc::ptr_eq(rules.updater(), updater))
                .cloned()
        };
        let rules: Vec<_> = updaters
            .iter()
            .map(|updater| {
                read_before(updater).unwrap_or_else(|| UpdaterRules::read(Arc::clone(updater)))
            })
            .collect();
        let problems = self.ledger.replace(&all(&before), &all(&rules));
        if !rules.is_empty() {
            self.updaters.insert(namespace.to_owned(), rules);
        }
        problems
    }

    /// Whether an Application needs no look; it is known to be there then.
    fn is_current(&mut self, application: &Arc<Application>, changed: &HashSet<String>) -> bool {
        let Some(entry) = self.applications.get_mut(&application.id) else {
            return false;
        };
        let is_second = entry.round == self.round;
        let is_same = Arc::ptr_eq(&entry.application, application);
        let current = is_second || (is_same && !changed.contains(&application.id.namespace));
        if current {
            entry.round = self.round;
        }
        current
    }

    /// Finds out what is tracked in an Application, and answers the new problems.
    fn look_at(&mut self, application: &Arc<Application>) -> Vec<Problem> {
        let updaters = self.updaters.get(&application.id.namespace);
        let updaters = updaters.map_or(&[][..], Vec::as_slice);
        let (images, problems) = application_images(application, updaters);
        for tracked in &images {
            self.trackers
                .entry(tracked.rule.image.name().clone())
                .or_default()
                .insert(application.id.clone());
        }
        let entry = Entry {
            application: Arc::clone(application),
            images,
            problems,
            round: self.round,
        };
        let before = self.applications.insert(application.id.clone(), entry);
        let (images, old) =
            before.map_or_else(Default::default, |entry| (entry.images, entry.problems));
        self.unlink(&application.id, &images);
        let new = self.applications.get(&application.id);
        self.ledger
            .replace(&old, new.map_or(&[], |entry| entry.problems.as_slice()))
    }

    /// Forgets that an Application tracks images, as far as it does not track them now.
    fn unlink(&mut self, application: &ResourceId, before: &[TrackedImage]) {
        let now = self.applications.get(application);
        for tracked in before {
            let name = tracked.rule.image.name();
            let still = now
                .into_iter()
                .flat_map(|entry| &entry.images)
                .any(|tracked| tracked.rule.image.name() == name);
            if !still && let Some(trackers) = self.trackers.get_mut(name) {
                trackers.remove(application);
                if trackers.is_empty() {
                    self.trackers.remove(name);
                }
            }
        }
    }

    fn forget_gone(&mut self) {
        let round = self.round;
        let gone: Vec<_> = self
            .applications
            .extract_if(|_, entry| entry.round != round)
            .collect();
        for (id, entry) in gone {
            self.unlink(&id, &entry.images);
            self.ledger.remove(&entry.problems);
        }
    }
}

/// Sorts by who decides: the oldest, those that have no age after those that have one, and by name.
fn oldest_first(updaters: &mut Vec<&Arc<ImageUpdater>>) {
    // A stable sort, so that of two objects of one name the first stays.
    updaters.sort_by_key(|updater| (updater.created.is_none(), &updater.created, &updater.id));
    let mut names = HashSet::new();
    updaters.retain(|updater| names.insert(&updater.id));
}

fn is_same(before: Option<&Vec<UpdaterRules>>, now: &[&Arc<ImageUpdater>]) -> bool {
    let before = before.map_or(&[][..], Vec::as_slice);
    before.len() == now.len()
        && before
            .iter()
            .zip(now)
            .all(|(rules, updater)| Arc::ptr_eq(rules.updater(), updater))
}

fn all(rules: &[UpdaterRules]) -> Vec<Problem> {
    rules
        .iter()
        .flat_map(|rules| rules.problems().iter().cloned())
        .collect()
}
