//! What became of a delivery, told in less than all words.

use std::collections::HashMap;

use crate::domain::delivery::DeliveryId;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventState;

/// A delivery with one Application in which it failed, where there is one: the others are only counted.
pub(super) fn in_short(record: &DeliveryRecord) -> DeliveryRecord {
    let mut short = record.clone();
    for known in &mut short.events {
        shorten(&mut known.state);
    }
    short
}

fn shorten(state: &mut EventState) {
    if let EventState::Ended { fate, unnamed, .. } = state
        && let Fate::Worked(outcomes) = fate
    {
        let all = outcomes.len();
        outcomes.retain(|outcome| outcome.outcome == ImageOutcome::Failed);
        outcomes.truncate(1);
        *unnamed = unnamed.saturating_add(all - outcomes.len());
    }
}

/// A delivery of which is said which events have ended, and in which of a few ways: how, only of the first of each. That is shorter than the delivery
/// itself, but for very short ones.
pub(super) fn in_a_word(record: &DeliveryRecord) -> DeliveryRecord {
    let mut short = record.clone();
    let mut words = HashMap::new();
    for known in &mut short.events {
        if let Some(way) = Way::of(&known.state) {
            let word = words.entry(way).or_insert_with(|| word(&known.state));
            known.state.clone_from(word);
        }
    }
    short
}

/// How an event has ended, in a word.
#[derive(PartialEq, Eq, Hash)]
enum Way {
    Superseded,
    Unmatched,
    Worked,
    Failed,
}

impl Way {
    fn of(state: &EventState) -> Option<Self> {
        let EventState::Ended { fate, unnamed, .. } = state else {
            return None;
        };
        Some(match fate {
            Fate::Superseded(_) => Self::Superseded,
            Fate::Worked(_) if fate.has_failed() => Self::Failed,
            Fate::Worked(outcomes) if outcomes.is_empty() && *unnamed == 0 => Self::Unmatched,
            Fate::Worked(_) => Self::Worked,
        })
    }
}

/// The shortest that can be said of all that ended in the same way as this one.
fn word(state: &EventState) -> EventState {
    /// So many characters say why something failed.
    const DETAIL: usize = 100;
    let mut word = state.clone();
    shorten(&mut word);
    if let EventState::Ended { fate, .. } = &mut word {
        match fate {
            // By many, as a rule.
            Fate::Superseded(by) => *by = DeliveryId::new(String::new()),
            Fate::Worked(outcomes) => outcomes.iter_mut().for_each(|outcome| {
                outcome.alias.clear();
                outcome.detail = outcome.detail.chars().take(DETAIL).collect();
            }),
        }
    }
    word
}

/// A delivery of which is said that all of it has ended, and nothing else.
pub(super) fn by_name(record: &DeliveryRecord) -> DeliveryRecord {
    DeliveryRecord {
        events: Vec::new(),
        ..record.clone()
    }
}
