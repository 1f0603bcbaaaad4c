//! What is remembered of a delivery, for people.

use std::time::SystemTime;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::delivery::TraceParent;
use crate::domain::event::ImageEvent;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::fate::ApplicationOutcome;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::fate::ImageOutcome;

/// The most outcomes that are remembered of one event. More Applications than that are counted.
const REMEMBERED: usize = 100;

/// What is remembered of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Our name for it.
    pub id: DeliveryId,
    /// The type of its sender.
    pub sender: String,
    /// The sender's own name for it.
    pub key: Option<SenderKey>,
    /// When it came in.
    pub at: SystemTime,
    /// Its part of a trace, where there is one.
    pub trace: Option<TraceParent>,
    /// What it announces, and what became of each.
    pub events: Vec<EventRecord>,
}

/// What is remembered of one event of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// The event.
    pub event: ImageEvent,
    /// How far it is.
    pub state: EventState,
}

/// How far an event is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventState {
    /// It waits, or is in work.
    Open,
    /// It is worked on no more.
    Ended {
        /// Since when.
        at: SystemTime,
        /// What became of it.
        fate: Fate,
        /// How many Applications it concerned beyond those that are named.
        unnamed: usize,
    },
}

/// How far a delivery is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Something of it waits, or is in work.
    Open,
    /// All of it was worked on, or superseded.
    Done,
    /// Something of it failed and is tried no more.
    Failed,
}

impl Progress {
    /// Its name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl DeliveryRecord {
    /// Of a delivery of which nothing is done yet.
    #[must_use]
    pub fn new(accepted: &Accepted) -> Self {
        let events = accepted.events.iter().map(|event| EventRecord {
            event: event.clone(),
            state: EventState::Open,
        });
        Self {
            id: accepted.delivery.clone(),
            sender: accepted.sender.clone(),
            key: accepted.key.clone(),
            at: accepted.at,
            trace: accepted.trace.clone(),
            events: events.collect(),
        }
    }

    /// Notes what became of an event.
    pub fn end(&mut self, event: &ImageEvent, at: SystemTime, fate: &Fate) {
        let mut events = self.events.iter_mut();
        let known = events
            .find(|known| (&known.event.image, &known.event.tag) == (&event.image, &event.tag));
        if let Some(known) = known {
            known.state = EventState::ended(at, fate);
        }
    }

    /// The delivery as if it came in again then, with all its events.
    #[must_use]
    pub fn again(self, at: SystemTime) -> Accepted {
        Accepted {
            delivery: self.id,
            sender: self.sender,
            key: self.key,
            at,
            trace: self.trace,
            events: self.events.into_iter().map(|known| known.event).collect(),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::Done;
        for event in &self.events {
            match &event.state {
                EventState::Open => return Progress::Open,
                EventState::Ended { fate, .. } if fate.has_failed() => progress = Progress::Failed,
                EventState::Ended { .. } => {}
            }
        }
        progress
    }
}

impl EventState {
    /// Ended by now, with the failures first and no more outcomes than are remembered.
    #[must_use]
    pub fn ended(at: SystemTime, fate: &Fate) -> Self {
        let (fate, unnamed) = match fate {
            Fate::Superseded(by) => (Fate::Superseded(by.clone()), 0),
            Fate::Worked(outcomes) => {
                // What failed is worth more than what went well.
                let failed = outcomes.iter().filter(|outcome| is_failure(outcome));
                let others = outcomes.iter().filter(|outcome| !is_failure(outcome));
                let named: Vec<ApplicationOutcome> =
                    failed.chain(others).take(REMEMBERED).cloned().collect();
                let unnamed = outcomes.len() - named.len();
                (Fate::Worked(named), unnamed)
            }
        };
        Self::Ended { at, fate, unnamed }
    }
}

fn is_failure(outcome: &ApplicationOutcome) -> bool {
    outcome.outcome == ImageOutcome::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::testing::id;

    fn event(tag: &str) -> ImageEvent {
        ImageEvent {
            image: ImageName::parse("quay.io/a/b").unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: None,
        }
    }

    fn outcome(number: usize, outcome: ImageOutcome) -> ApplicationOutcome {
        ApplicationOutcome {
            application: id(&format!("web-{number}")),
            alias: String::new(),
            outcome,
            detail: String::new(),
        }
    }

    #[test]
    fn a_delivery_is_done_when_all_its_events_are_and_failed_where_one_is() {
        let at = SystemTime::UNIX_EPOCH;
        let mut record = DeliveryRecord::new(&Accepted {
            delivery: DeliveryId::new("d"),
            sender: "quay.io".to_owned(),
            key: None,
            at,
            trace: None,
            events: vec![event("1"), event("2")],
        });
        assert_eq!(record.progress(), Progress::Open);
        record.end(&event("1"), at, &Fate::Superseded(DeliveryId::new("e")));
        assert_eq!(record.progress(), Progress::Open);
        record.end(&event("2"), at, &Fate::Worked(Vec::new()));
        assert_eq!(record.progress(), Progress::Done);
        let failed = Fate::Worked(vec![outcome(1, ImageOutcome::Failed)]);
        record.end(&event("1"), at, &failed);
        assert_eq!(record.progress(), Progress::Failed);
        let again = DeliveryRecord::new(&record.again(at));
        assert_eq!(again.progress(), Progress::Open);
    }

    #[test]
    fn of_very_many_applications_the_failures_are_named_and_the_rest_is_counted() {
        let mut outcomes: Vec<_> = (0..500)
            .map(|n| outcome(n, ImageOutcome::Changed))
            .collect();
        outcomes.push(outcome(500, ImageOutcome::Failed));
        let EventState::Ended { fate, unnamed, .. } =
            EventState::ended(SystemTime::UNIX_EPOCH, &Fate::Worked(outcomes))
        else {
            panic!("it has ended");
        };
        assert!(fate.has_failed());
        assert_eq!(unnamed, 401);
    }
}
