//! What is to be done about one image.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::changing::Postponed;
use super::registry::Learned;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::ApplicationOutcome;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::reference::ImageName;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::resources::resource::ResourceId;

/// How long what a registry has answered is believed while work waits for its turn.
const FRESH: Duration = Duration::from_secs(30);
/// How long a registry is asked for a tag that it told of and does not show.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often work that fails for now is tried, over about ten minutes.
pub(super) const ATTEMPTS: u32 = 15;
/// How long an event that fails is tried at the least, where newer ones of its image keep coming.
const TRIED: Duration = Duration::from_secs(15 * 60);

/// Which work is one: the events of an image are judged together, and apart from a look at its registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) image: ImageName,
    pub(super) is_look: bool,
}

/// Events of one image that are worked on together, or a look at its registry.
#[derive(Debug)]
pub(super) struct Task {
    /// The events, no tag twice, the latest announced last; none where the registry is looked at.
    pub(super) batch: Batch,
    /// How often the work has failed for now.
    pub(super) failures: u32,
    /// Since when events of it fail, and how often they have.
    pub(super) failing: HashMap<EntryId, (Instant, u32)>,
    /// Before when it is not worked on.
    pub(super) not_before: Option<Instant>,
    /// Who waits for the end of it.
    pub(super) waiting: Vec<oneshot::Sender<Looked>>,
    /// What registries have answered for it.
    pub(super) knowledge: Knowledge,
    /// When they last answered.
    pub(super) learned: Option<Instant>,
    /// When a registry first did not show what was announced.
    pub(super) unshown: Option<Instant>,
    /// Whether it has had its turn among those that are worked on at a rate.
    pub(super) has_turn: bool,
    /// Whether it stands in the line of those that wait for their turn.
    pub(super) is_in_line: bool,
    /// Where it stands when what is asked for it is answered.
    pub(super) place: Place,
    /// The Applications in which all is done that can be.
    pub(super) settled: HashSet<ResourceId>,
    /// What could not be written for now, of what is settled.
    pub(super) postponed: Postponed,
    /// What was done so far.
    pub(super) looked: Looked,
    /// What became of the image so far, by Application and alias.
    pub(super) outcomes: BTreeMap<(ResourceId, String), (ImageOutcome, String)>,
}

/// Where work stands among all that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the others, as it came last.
    Last,
    /// Before the others, but for those that went there before: its turn had come when it had to be asked for again.
    First,
    /// Before the others, and it takes no turn: it had taken its turns when it had to be asked for again.
    Next,
}

/// An event whose place a newer one took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superseded {
    pub(super) event: QueuedEvent,
    pub(super) by: DeliveryId,
}

/// What came of a look at one image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many Applications track the image.
    pub considered: usize,
    /// How many images in Applications were changed.
    pub changed: usize,
    /// How many could not be decided or changed for a failure.
    pub failed: usize,
}

impl Task {
    /// The work that events make.
    pub(super) fn of(batch: Batch) -> Self {
        Self {
            batch,
            failures: 0,
            failing: HashMap::new(),
            not_before: None,
            waiting: Vec::new(),
            knowledge: Knowledge::new(),
            learned: None,
            unshown: None,
            has_turn: false,
            is_in_line: false,
            place: Place::Last,
            settled: HashSet::new(),
            postponed: Postponed::new(),
            looked: Looked::default(),
            outcomes: BTreeMap::new(),
        }
    }

    /// A look at the registry of an image.
    pub(super) fn look(image: ImageName, waiting: Option<oneshot::Sender<Looked>>) -> Self {
        let events = Vec::new();
        Self {
            waiting: waiting.into_iter().collect(),
            ..Self::of(Batch { image, events })
        }
    }

    pub(super) fn key(&self) -> Key {
        Key {
            image: self.batch.image.clone(),
            is_look: self.is_look(),
        }
    }

    pub(super) fn is_look(&self) -> bool {
        self.batch.events.is_empty()
    }

    /// Takes in newer work of the same kind for the same image, and gives back the events that it supersedes. What was asked so far may be
    /// another thing by now.
    pub(super) fn join(&mut self, newer: Self) -> Vec<Superseded> {
        let mut superseded = Vec::new();
        for event in std::mem::take(&mut self.batch.events) {
            let mut again = newer.batch.events.iter();
            match again.find(|new| new.event.tag == event.event.tag) {
                Some(by) => superseded.push(Superseded {
                    by: by.delivery.clone(),
                    event,
                }),
                None => self.batch.events.push(event),
            }
        }
        self.batch.events.extend(newer.batch.events);
        self.waiting.extend(newer.waiting);
        self.failing.extend(newer.failing);
        self.unshown = None;
        self.has_turn = false;
        self.begin_anew();
        superseded
    }

    /// Notes that it has failed for now. Gives the events apart that have done so for long, where newer ones keep the rest going: with each of those the
    /// work begins anew, and its failures alone would never be too many.
    pub(super) fn split_off_old(&mut self) -> Option<Self> {
        let now = Instant::now();
        let known = std::mem::take(&mut self.failing);
        for queued in &self.batch.events {
            let (since, times) = known.get(&queued.entry).copied().unwrap_or((now, 0));
            self.failing.insert(queued.entry, (since, times + 1));
        }
        // Nobody tried while the cluster was away.
        let is_old = |queued: &QueuedEvent| {
            let failing = self.failing.get(&queued.entry);
            failing.is_some_and(|(since, times)| {
                now.duration_since(*since) >= TRIED && *times >= ATTEMPTS
            })
        };
        let (old, rest): (Vec<_>, Vec<_>) = self.batch.events.iter().cloned().partition(is_old);
        if old.is_empty() || rest.is_empty() {
            return None;
        }
        self.batch.events = rest;
        let image = self.batch.image.clone();
        Some(Self {
            outcomes: self.outcomes.clone(),
            ..Self::of(Batch { image, events: old })
        })
    }

    /// Takes up what registries answered then. What was answered before was fresh enough for it to be asked, so the latest answers count.
    pub(super) fn learn(&mut self, learned: Learned, at: Instant) {
        for (access, question, answer) in learned {
            self.knowledge.learn(access, question, answer);
        }
        self.learned = Some(at);
    }

    /// Everything is to be asked and decided anew.
    pub(super) fn begin_anew(&mut self) {
        self.forget();
        self.settled.clear();
        self.postponed.clear();
    }

    /// Everything is to be asked anew, for what is not settled.
    pub(super) fn forget(&mut self) {
        self.knowledge = Knowledge::new();
        self.learned = None;
    }

    /// Forgets what was learned too long ago, and says whether there was anything.
    pub(super) fn forget_old(&mut self) -> bool {
        let learned = self.learned;
        let is_old = learned.is_some_and(|learned| learned.elapsed() > FRESH);
        if is_old {
            self.forget();
        }
        is_old
    }

    /// Whether a tag that the registry does not show is no longer waited for.
    pub(super) fn is_out_of_patience(&self) -> bool {
        self.is_look()
            || self
                .unshown
                .is_some_and(|since| since.elapsed() >= PATIENCE)
    }

    /// Notes what became of the image in an Application. What was changed stays so, whatever is found there later that needs no change.
    pub(super) fn note(
        &mut self,
        application: &ResourceId,
        alias: &str,
        outcome: ImageOutcome,
        detail: String,
    ) {
        // Nobody asks for what a look did.
        if self.is_look() {
            return;
        }
        let key = (application.clone(), alias.to_owned());
        let known = self.outcomes.get(&key).map(|(outcome, _)| *outcome);
        let is_changed = matches!(known, Some(ImageOutcome::Changed | ImageOutcome::DryRun));
        if !(is_changed && outcome == ImageOutcome::Unchanged) {
            self.outcomes.insert(key, (outcome, detail));
        }
    }

    /// What became of its events in the end.
    pub(super) fn fate(&mut self) -> Fate {
        let outcomes = std::mem::take(&mut self.outcomes).into_iter();
        let outcomes =
            outcomes.map(
                |((application, alias), (outcome, detail))| ApplicationOutcome {
                    application,
                    alias,
                    outcome,
                    detail,
                },
            );
        Fate::Worked(outcomes.collect())
    }

    /// Tells those who wait what came of it.
    pub(super) fn tell(self) {
        for waiting in self.waiting {
            // Whoever has gone does not want to know.
            let _ = waiting.send(self.looked);
        }
    }
}
