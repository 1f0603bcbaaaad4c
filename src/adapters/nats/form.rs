//! What the messages say. JSON, so that people can read them with the tools of NATS. A field that is added later has a default.

use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use super::names::ReplicaId;
use crate::adapters::wire::journal::EndForm;
use crate::adapters::wire::journal::millis;
use crate::adapters::wire::journal::time;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::delivery::TraceParent;
use crate::domain::event::ImageEvent;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventRecord;
use crate::domain::queue::record::EventState;
use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;

/// A delivery that waits or is in work. Its number is that of its message in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeliveryForm {
    /// Our name for it.
    id: String,
    /// The type of its sender.
    sender: String,
    /// The sender's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// When it came in, in milliseconds since 1970.
    at: u64,
    /// Its part of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// What it announces. Neighbours of one image stand together, as the longest deliveries are of one.
    images: Vec<ImageForm>,
}

/// Tags of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ImageForm {
    image: String,
    tags: Vec<TagForm>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TagForm {
    tag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// What became of a delivery so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NoteForm {
    /// The number of the delivery.
    pub(super) number: u64,
    delivery: DeliveryForm,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<EndsForm>,
}

/// What became of some of its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EndsForm {
    /// Their places in the delivery, from 0.
    events: Vec<usize>,
    /// What became of each.
    end: EndForm,
}

/// That a replica is alive.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct BeatForm {
    /// Whether it takes up no new work, as it ends.
    #[serde(default)]
    pub(super) leaves: bool,
}

/// Who works on a partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SeatForm {
    /// Nobody where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replica: Option<ReplicaId>,
}

/// Reads a message.
pub(super) fn read<'m, T: Deserialize<'m>>(message: &'m [u8]) -> Result<T, String> {
    serde_json::from_slice(message).map_err(|error| error.to_string())
}

/// Writes a message.
pub(super) fn write(form: &impl Serialize) -> Vec<u8> {
    // Texts and numbers alone: it cannot fail.
    serde_json::to_vec(form).unwrap_or_default()
}

impl From<&DeliveryRecord> for DeliveryForm {
    fn from(record: &DeliveryRecord) -> Self {
        let mut images: Vec<ImageForm> = Vec::new();
        let mut last: Option<&ImageName> = None;
        for EventRecord { event, .. } in &record.events {
            let tag = TagForm {
                tag: event.tag.to_string(),
                digest: event.digest.as_ref().map(ToString::to_string),
            };
            match images.last_mut().filter(|_| last == Some(&event.image)) {
                Some(image) => image.tags.push(tag),
                None => images.push(ImageForm {
                    image: event.image.to_string(),
                    tags: vec![tag],
                }),
            }
            last = Some(&event.image);
        }
        Self {
            id: record.id.to_string(),
            sender: record.sender.clone(),
            key: record.key.as_ref().map(|key| key.as_str().to_owned()),
            at: millis(record.at),
            trace: record.trace.as_ref().map(|trace| trace.as_str().to_owned()),
            images,
        }
    }
}

impl DeliveryForm {
    /// The delivery, of which nothing is done.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn record(self) -> Result<DeliveryRecord, String> {
        let images = self.images.into_iter().map(ImageForm::events);
        let events: Vec<Vec<EventRecord>> = images.collect::<Result<_, _>>()?;
        Ok(DeliveryRecord {
            id: DeliveryId::new(self.id),
            sender: self.sender,
            key: self.key.as_deref().and_then(SenderKey::parse),
            at: time(self.at)?,
            trace: self.trace.as_deref().and_then(TraceParent::parse),
            events: events.into_iter().flatten().collect(),
        })
    }
}

impl From<&Accepted> for DeliveryForm {
    fn from(accepted: &Accepted) -> Self {
        Self::from(&DeliveryRecord::new(accepted))
    }
}

impl ImageForm {
    fn events(self) -> Result<Vec<EventRecord>, String> {
        let text = |error: &dyn ToString| error.to_string();
        let image = ImageName::parse(&self.image).map_err(|error| text(&error))?;
        let events = self.tags.into_iter().map(|form| {
            let digest = form.digest.as_deref().map(Digest::parse).transpose();
            Ok(EventRecord {
                event: ImageEvent {
                    image: image.clone(),
                    tag: Tag::parse(&form.tag).map_err(|error| text(&error))?,
                    digest: digest.map_err(|error| text(&error))?,
                },
                state: EventState::Open,
            })
        });
        events.collect()
    }
}

impl NoteForm {
    /// Of the delivery of that number.
    pub(super) fn of(number: u64, record: &DeliveryRecord) -> Self {
        let mut ends: Vec<EndsForm> = Vec::new();
        // What has ended alike is told once: what was worked on together, and what was superseded together.
        let mut alike: HashMap<&EventState, usize> = HashMap::new();
        for (place, known) in record.events.iter().enumerate() {
            let Some(end) = EndForm::of(&known.state) else {
                continue;
            };
            let index = *alike.entry(&known.state).or_insert(ends.len());
            match ends.get_mut(index) {
                Some(ends) => ends.events.push(place),
                None => ends.push(EndsForm {
                    events: vec![place],
                    end,
                }),
            }
        }
        Self {
            number,
            delivery: DeliveryForm::from(record),
            ends,
        }
    }

    /// The delivery with what became of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn record(self) -> Result<DeliveryRecord, String> {
        let mut record = self.delivery.record()?;
        for ends in self.ends {
            let state = ends.end.state()?;
            for place in ends.events {
                let known = record.events.get_mut(place);
                let known = known.ok_or_else(|| format!("there is no event {place}"))?;
                known.state = state.clone();
            }
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::adapters::nats::shortened::in_a_word;
    use crate::adapters::nats::shortened::in_short;
    use crate::domain::queue::fate::ApplicationOutcome;
    use crate::domain::queue::fate::Fate;
    use crate::domain::queue::fate::ImageOutcome;
    use crate::domain::queue::record::Progress;
    use crate::domain::testing::id;

    fn event(image: &str, tag: &str, digest: bool) -> ImageEvent {
        ImageEvent {
            image: ImageName::parse(image).unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: digest.then(|| Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap()),
        }
    }

    fn accepted(events: Vec<ImageEvent>) -> Accepted {
        Accepted {
            delivery: DeliveryId::new("d"),
            sender: "quay.io".to_owned(),
            key: SenderKey::parse("quay.io:k"),
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            trace: TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            events,
        }
    }

    fn fate(outcomes: usize) -> Fate {
        let outcome = |number| ApplicationOutcome {
            application: id(&format!("web-{number}")),
            alias: "a".to_owned(),
            outcome: ImageOutcome::Changed,
            detail: "1 -> 2".to_owned(),
        };
        Fate::Worked((0..outcomes).map(outcome).collect())
    }

    proptest! {
        #[test]
        fn a_delivery_comes_back_as_it_was(
            events in prop::collection::vec((0..3_u8, 0..9_u8, any::<bool>(), 0..4_u8), 1..20)
        ) {
            let image = |number| format!("quay.io/a/b{number}");
            let sent = events.iter().map(|(number, tag, digest, _)| {
                event(&image(*number), &tag.to_string(), *digest)
            });
            let accepted = accepted(sent.collect());
            let mut record = DeliveryRecord::new(&accepted);
            let form: DeliveryForm = read(&write(&DeliveryForm::from(&accepted))).unwrap();
            prop_assert_eq!(form.record().unwrap(), record.clone());
            for (known, (.., end)) in record.events.iter_mut().zip(&events) {
                known.state = match end {
                    0 => EventState::Open,
                    1 => EventState::ended(accepted.at, &fate(0)),
                    2 => EventState::ended(accepted.at, &fate(3)),
                    _ => EventState::ended(accepted.at, &Fate::Superseded(DeliveryId::new("e"))),
                };
            }
            let note: NoteForm = read(&write(&NoteForm::of(7, &record))).unwrap();
            prop_assert_eq!(note.number, 7);
            prop_assert_eq!(note.record().unwrap(), record);
        }

        #[test]
        fn whatever_a_message_holds_is_read_without_a_panic(message in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read::<DeliveryForm>(&message).map(DeliveryForm::record);
            let _ = read::<NoteForm>(&message).map(NoteForm::record);
        }
    }

    #[test]
    fn an_end_of_an_event_that_is_not_there_is_refused() {
        let record = DeliveryRecord::new(&accepted(vec![event("quay.io/a/b", "1", false)]));
        let mut note = NoteForm::of(1, &record);
        note.ends.push(EndsForm {
            events: vec![1],
            end: EndForm::of(&EventState::ended(record.at, &fate(0))).unwrap(),
        });
        assert_eq!(note.record(), Err("there is no event 1".to_owned()));
    }

    #[test]
    fn in_short_applications_are_counted() {
        let mut record = DeliveryRecord::new(&accepted(vec![event("quay.io/a/b", "1", false)]));
        record.events[0].state = EventState::ended(record.at, &fate(3));
        let EventState::Ended { fate, unnamed, .. } = in_short(&record).events.remove(0).state
        else {
            panic!("it has ended");
        };
        assert_eq!((fate, unnamed), (Fate::Worked(Vec::new()), 3));
        record.events[0].state = EventState::Ended {
            at: record.at,
            fate: self::fate(3),
            unnamed: usize::MAX,
        };
        assert_eq!(in_short(&in_short(&record)), in_short(&record));
    }

    #[test]
    fn however_short_a_note_is_it_says_what_failed_and_that_something_was_worked_on() {
        let tags = ["1", "2", "3", "4", "5"].map(|tag| event("quay.io/a/b", tag, false));
        let mut record = DeliveryRecord::new(&accepted(tags.into()));
        let Fate::Worked(mut outcomes) = fate(3) else {
            panic!("it was worked on");
        };
        outcomes[2].outcome = ImageOutcome::Failed;
        outcomes[2].detail = "ä".repeat(1000);
        let superseded = Fate::Superseded(DeliveryId::new("e"));
        let fates = [Fate::Worked(outcomes), fate(3), fate(0), superseded];
        for (known, fate) in record.events.iter_mut().zip(&fates) {
            known.state = EventState::ended(record.at, fate);
        }
        for shortened in [in_short(&record), in_a_word(&record)] {
            let ends = shortened.events.iter().map(|known| match &known.state {
                EventState::Open => None,
                EventState::Ended { fate, unnamed, .. } => Some((fate.clone(), *unnamed)),
            });
            let ends: Vec<_> = ends.collect();
            let Some((failed @ Fate::Worked(outcomes), 2)) = &ends[0] else {
                panic!("{ends:?}");
            };
            assert!(failed.has_failed() && outcomes.len() == 1);
            assert_eq!(ends[1], Some((Fate::Worked(Vec::new()), 3)));
            assert_eq!(ends[2], Some((Fate::Worked(Vec::new()), 0)));
            assert!(matches!(ends[3], Some((Fate::Superseded(_), 0))));
            assert_eq!(ends[4], None);
        }
        record.events.pop();
        assert_eq!(in_a_word(&record).progress(), Progress::Failed);
    }

    /// A delivery of many tags, each of which a delivery of its own has superseded.
    fn scattered() -> DeliveryRecord {
        let events = (0..2000).map(|tag| event("quay.io/a/b", &tag.to_string(), false));
        let mut record = DeliveryRecord::new(&accepted(events.collect()));
        for (place, known) in record.events.iter_mut().enumerate().skip(1) {
            let by = DeliveryId::new(format!("superseding-{place}"));
            known.state = EventState::ended(record.at, &Fate::Superseded(by));
        }
        record
    }

    #[test]
    fn in_a_word_a_note_is_not_twice_as_long_as_its_delivery() {
        let record = scattered();
        let length = |record: &DeliveryRecord| write(&NoteForm::of(7, record)).len();
        let delivery = write(&DeliveryForm::from(&accepted(
            record
                .events
                .iter()
                .map(|known| known.event.clone())
                .collect(),
        )));
        assert!(length(&in_short(&record)) > 3 * delivery.len());
        assert!(length(&in_a_word(&record)) < 2 * delivery.len());
        let note: NoteForm = read(&write(&NoteForm::of(7, &in_a_word(&record)))).unwrap();
        let read = note.record().unwrap();
        let is_open = |known: &EventRecord| known.state == EventState::Open;
        assert!(is_open(&read.events[0]) && !read.events[1..].iter().any(is_open));
    }

    #[test]
    fn what_has_ended_alike_is_told_once_wherever_it_stands() {
        let mut record = scattered();
        for known in record.events.iter_mut().step_by(2) {
            known.state = EventState::ended(record.at, &fate(3));
        }
        for known in record.events.iter_mut().skip(1).step_by(2) {
            known.state = EventState::ended(record.at, &fate(0));
        }
        let note = NoteForm::of(7, &record);
        assert_eq!(note.ends.len(), 2);
        assert_eq!(note.record().unwrap(), record);
    }
}
