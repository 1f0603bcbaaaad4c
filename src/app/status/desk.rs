//! What is to be told.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::time::Duration;
use std::time::SystemTime;

use tokio::time::Instant;

use super::account::Account;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;
use crate::domain::change::ImageChange;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::reference::ImageName;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::domain::status::run::Failure;
use crate::domain::status::run::Run;
use crate::domain::tracking::assessment::Assessment;
use crate::domain::tracking::index::Index;

/// How long what an ImageUpdater tracks is left to settle before its status is written, and the least time between two writes of one status.
pub(super) const SETTLE: Duration = Duration::from_secs(1);

/// What is to be told, and what was told.
#[derive(Debug, Default)]
pub(super) struct Desk {
    updaters: HashMap<ResourceId, Notes>,
    /// What could not be written into which Application. It was announced.
    failures: BTreeMap<(ResourceId, ImageName), OpenFailure>,
    /// What registries did not answer, by image and ImageUpdater.
    unanswered: HashMap<ImageName, BTreeMap<ResourceId, Vec<Failure>>>,
    /// What is to be announced, in order.
    pub(super) announcements: VecDeque<Announcement>,
}

/// What is known about an ImageUpdater.
#[derive(Debug, Default)]
struct Notes {
    assessment: Assessment,
    /// What was done since its status was written.
    run: Option<Run>,
    /// When its status is to be looked at; `None`: nothing has changed.
    due: Option<Instant>,
    written: Option<Instant>,
}

#[derive(Debug)]
struct OpenFailure {
    updaters: BTreeSet<ResourceId>,
    reason: String,
    /// What was to be written last, one for each source.
    changes: Vec<ApplicationChange>,
}

impl OpenFailure {
    fn take(&mut self, change: &ApplicationChange) {
        self.updaters.extend(updaters_of(change));
        self.changes.retain(|known| known.source != change.source);
        self.changes.push(change.clone());
    }

    /// Whether something else stands by now wherever it was to be written: somebody wrote the same, or another decision has to be made.
    fn is_overtaken_in(&self, application: &Application) -> bool {
        let mut changes = self.changes.iter();
        changes.all(|change| {
            let now = change.applied_to(application);
            matches!(now, Err(ChangeConflict::Moved(_)))
        })
    }
}

/// What the status of an ImageUpdater is to be made of.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) assessment: Assessment,
    pub(super) run: Option<Run>,
}

impl Desk {
    pub(super) fn assessed(
        &mut self,
        updater: &ResourceId,
        assessment: Option<Assessment>,
        now: Instant,
    ) {
        let Some(assessment) = assessment else {
            self.updaters.remove(updater);
            self.forget_failures(updater);
            return;
        };
        let notes = self.updaters.entry(updater.clone()).or_default();
        let is_edited = notes.assessment.generation != assessment.generation;
        notes.assessment = assessment;
        notes.due.get_or_insert(now + SETTLE);
        // It may not want any longer what could not be done.
        if is_edited {
            self.forget_failures(updater);
        }
    }

    /// Notes what was done, and answers what is to be announced.
    pub(super) fn done(
        &mut self,
        account: &Account,
        time: SystemTime,
        now: Instant,
    ) -> Vec<Announcement> {
        let mut announcements = Vec::new();
        let mut concerned = BTreeSet::new();
        for application in &account.gone {
            concerned.extend(self.end_failure(application, &account.image));
        }
        for (change, reason) in account.unwritten() {
            if self.begin_failure(change, &account.image, reason) {
                let application = &change.application;
                announcements.push(Announcement::update_failed(
                    application,
                    &account.image,
                    reason,
                ));
                concerned.extend(updaters_of(change));
            }
        }
        for (application, changes) in by_application(&account.written) {
            announcements.push(Announcement::images_updated(application, &changes));
            if !account.has_failed_in(application) {
                let ended = self.end_failure(application, &account.image);
                if !ended.is_empty() {
                    let recovered = Announcement::update_recovered(application, &account.image);
                    announcements.push(recovered);
                }
                concerned.extend(ended);
            }
            for change in changes {
                concerned.insert(change.updater.clone());
                if let Some(notes) = self.updaters.get_mut(&change.updater) {
                    let run = notes.run_at(time);
                    run.changes.push((application.clone(), change));
                }
            }
        }
        self.hurry(&concerned, time, now);
        announcements
    }

    /// Notes what no registry answered for an image, and says whether that is news.
    pub(super) fn judged(
        &mut self,
        image: &ImageName,
        judgement: &Judgement,
        now: Instant,
    ) -> bool {
        let mut failures: BTreeMap<ResourceId, Vec<Failure>> = BTreeMap::new();
        for verdict in &judgement.verdicts {
            if let Opinion::Failed(failure) = &verdict.opinion {
                failures
                    .entry(verdict.updater.clone())
                    .or_default()
                    .push(Failure {
                        application: verdict.application.clone(),
                        reason: format!("image {}: {}", verdict.image, failure.reason),
                    });
            }
        }
        let before = self.unanswered.remove(image).unwrap_or_default();
        let is_news = before != failures;
        if is_news {
            self.touch(before.keys().chain(failures.keys()), now);
        }
        if !failures.is_empty() {
            self.unanswered.insert(image.clone(), failures);
        }
        is_news
    }

    /// Notes that registries were looked at for ImageUpdaters.
    pub(super) fn checked(
        &mut self,
        updaters: &BTreeSet<ResourceId>,
        time: SystemTime,
        now: Instant,
    ) {
        for updater in updaters {
            if let Some(notes) = self.updaters.get_mut(updater) {
                notes.run_at(time).is_check = true;
                notes.hurry(now);
            }
        }
    }

    /// Ends the failures that the Applications have got over without us, and answers what is to be announced.
    pub(super) fn looked(
        &mut self,
        resources: &Resources,
        time: SystemTime,
        now: Instant,
    ) -> Vec<Announcement> {
        if self.failures.is_empty() {
            return Vec::new();
        }
        let applications = resources.applications.iter();
        let known: HashMap<_, _> = applications.map(|one| (&one.id, one.as_ref())).collect();
        let mut announcements = Vec::new();
        let mut concerned = BTreeSet::new();
        self.failures.retain(|(id, image), failure| {
            let application = known.get(id);
            let is_over = application.is_some_and(|one| failure.is_overtaken_in(one));
            if is_over {
                announcements.push(Announcement::update_overtaken(id, image));
                concerned.append(&mut failure.updaters);
            }
            !is_over
        });
        self.hurry(&concerned, time, now);
        announcements
    }

    /// Forgets what was not answered about images that are tracked no longer where they were, and says whether there was any.
    pub(super) fn forget_unasked(&mut self, index: &Index, now: Instant) -> bool {
        let mut concerned = BTreeSet::new();
        self.unanswered.retain(|image, by_updater| {
            let live = index
                .tracked(image)
                .filter(|tracked| tracked.live.is_some());
            let live: HashSet<(&ResourceId, &ResourceId)> = live
                .map(|tracked| (&tracked.application.id, &tracked.updater.id))
                .collect();
            by_updater.retain(|updater, failures| {
                let before = failures.len();
                failures.retain(|failure| live.contains(&(&failure.application, updater)));
                if failures.len() < before {
                    concerned.insert(updater.clone());
                }
                !failures.is_empty()
            });
            !by_updater.is_empty()
        });
        self.touch(concerned.iter(), now);
        !concerned.is_empty()
    }

    /// Has statuses looked at a moment later, as something else is to be said in them.
    fn touch<'u>(&mut self, updaters: impl Iterator<Item = &'u ResourceId>, now: Instant) {
        for updater in updaters {
            if let Some(notes) = self.updaters.get_mut(updater) {
                notes.due.get_or_insert(now + SETTLE);
            }
        }
    }

    /// Has statuses written at once, as something happened.
    fn hurry(&mut self, concerned: &BTreeSet<ResourceId>, time: SystemTime, now: Instant) {
        for updater in concerned {
            if let Some(notes) = self.updaters.get_mut(updater) {
                notes.run_at(time);
                notes.hurry(now);
            }
        }
    }

    /// When the next status is to be looked at.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.updaters.values().filter_map(|notes| notes.due).min()
    }

    /// Takes those whose time has come, by name.
    pub(super) fn take_due(&mut self, now: Instant) -> BTreeMap<ResourceId, Sheet> {
        self.take(|due| due <= now)
    }

    /// Takes all of which anything has changed.
    pub(super) fn take_all(&mut self) -> BTreeMap<ResourceId, Sheet> {
        self.take(|_| true)
    }

    /// Takes what may be announced at once, so many at the most: of what is said about one object the second comes after the first.
    pub(super) fn next_announcements(&mut self, most: usize) -> Vec<Announcement> {
        let mut next: Vec<Announcement> = Vec::new();
        while next.len() < most
            && let Some(one) = self.announcements.front()
            && next.iter().all(|taken| taken.about != one.about)
        {
            next.extend(self.announcements.pop_front());
        }
        next
    }

    fn take(&mut self, is_taken: impl Fn(Instant) -> bool) -> BTreeMap<ResourceId, Sheet> {
        let notes = self.updaters.iter_mut();
        notes
            .filter(|(_, notes)| notes.due.is_some_and(&is_taken))
            .map(|(updater, notes)| {
                notes.due = None;
                let sheet = Sheet {
                    assessment: notes.assessment.clone(),
                    run: notes.run.take(),
                };
                (updater.clone(), sheet)
            })
            .collect()
    }

    /// Takes back what could not be written. Without a time it is written when there is something else to write.
    pub(super) fn put_off(&mut self, updater: &ResourceId, run: Option<Run>, due: Option<Instant>) {
        let Some(notes) = self.updaters.get_mut(updater) else {
            return;
        };
        if let Some(mut run) = run {
            if let Some(later) = notes.run.take() {
                run.at = later.at;
                run.is_check |= later.is_check;
                run.changes.extend(later.changes);
            }
            notes.run = Some(run);
        }
        notes.due = notes.due.or(due);
    }

    pub(super) fn wrote(&mut self, updater: &ResourceId, now: Instant) {
        if let Some(notes) = self.updaters.get_mut(updater) {
            notes.written = Some(now);
        }
    }

    /// What could not be written for an ImageUpdater, into Applications that are still there.
    pub(super) fn failures_of(
        &mut self,
        updater: &ResourceId,
        is_there: impl Fn(&ResourceId) -> bool,
    ) -> Vec<Failure> {
        self.failures.retain(|(application, _), failure| {
            !failure.updaters.contains(updater) || is_there(application)
        });
        let unanswered = self
            .unanswered
            .values()
            .filter_map(|failures| failures.get(updater));
        let unanswered: Vec<Failure> = unanswered
            .flatten()
            .filter(|failure| is_there(&failure.application))
            .cloned()
            .collect();
        let of_this = self.failures.iter();
        of_this
            .filter(|(_, failure)| failure.updaters.contains(updater))
            .map(|((application, _), failure)| Failure {
                application: application.clone(),
                reason: failure.reason.clone(),
            })
            .chain(unanswered)
            .collect()
    }

    /// Notes that something cannot be written, and says whether that is news.
    fn begin_failure(
        &mut self,
        change: &ApplicationChange,
        image: &ImageName,
        reason: &str,
    ) -> bool {
        let key = (change.application.clone(), image.clone());
        if let Some(known) = self.failures.get_mut(&key) {
            known.take(change);
            return false;
        }
        let mut failure = OpenFailure {
            updaters: BTreeSet::new(),
            reason: reason.to_owned(),
            changes: Vec::new(),
        };
        failure.take(change);
        self.failures.insert(key, failure);
        true
    }

    /// Notes that what could not be written was, or need not be, and answers the ImageUpdaters that this concerns; none where nothing had failed.
    fn end_failure(&mut self, application: &ResourceId, image: &ImageName) -> BTreeSet<ResourceId> {
        let key = (application.clone(), image.clone());
        let ended = self.failures.remove(&key);
        ended.map(|failure| failure.updaters).unwrap_or_default()
    }

    fn forget_failures(&mut self, updater: &ResourceId) {
        self.unanswered.retain(|_, failures| {
            failures.remove(updater);
            !failures.is_empty()
        });
        self.failures.retain(|_, failure| {
            failure.updaters.remove(updater);
            !failure.updaters.is_empty()
        });
    }
}

impl Notes {
    fn run_at(&mut self, time: SystemTime) -> &mut Run {
        let run = self.run.get_or_insert(Run {
            at: time,
            changes: Vec::new(),
            is_check: false,
        });
        run.at = time;
        run
    }

    /// Has the status written at once, unless it was written a moment ago.
    fn hurry(&mut self, now: Instant) {
        let due = self
            .written
            .map_or(now, |written| now.max(written + SETTLE));
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }
}

fn updaters_of(change: &ApplicationChange) -> impl Iterator<Item = ResourceId> {
    change.images.iter().map(|image| image.updater.clone())
}

/// The changes of all sources of an Application together, in the order of the Applications' names.
fn by_application(changes: &[ApplicationChange]) -> BTreeMap<&ResourceId, Vec<ImageChange>> {
    let mut images: BTreeMap<&ResourceId, Vec<ImageChange>> = BTreeMap::new();
    for change in changes {
        let of_one = images.entry(&change.application).or_default();
        of_one.extend(change.images.iter().cloned());
    }
    images
}
