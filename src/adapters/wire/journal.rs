//! The form in which deliveries and their events are kept, on disk and on other machines. JSON, so that people can read it too.
//!
//! Versioned as a whole by whoever keeps it. A field that is added later has a default.

use std::time::Duration;
use std::time::SystemTime;

use serde::Deserialize;
use serde::Serialize;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::delivery::TraceParent;
use crate::domain::event::ImageEvent;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::fate::ApplicationOutcome;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventRecord;
use crate::domain::queue::record::EventState;
use crate::domain::reference::Digest;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;
use crate::domain::resources::resource::ResourceId;

/// An event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventForm {
    /// Registry and repository.
    pub image: String,
    /// The tag.
    pub tag: String,
    /// The digest, where it was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A delivery with what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordForm {
    /// Our name for it.
    pub id: String,
    /// The type of its sender.
    pub sender: String,
    /// The sender's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it came in, in milliseconds since 1970.
    pub at: u64,
    /// Its part of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Its events.
    pub events: Vec<EventRecordForm>,
}

/// An event of a delivery with what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRecordForm {
    /// The event.
    #[serde(flatten)]
    pub event: EventForm,
    /// What became of it; nothing as long as it waits or is in work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndForm>,
    /// Where it waits, for a queue that keeps both in one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<WaitForm>,
}

/// The place of an event in a queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WaitForm {
    /// The number of its entry.
    pub entry: u64,
    /// Since when it waits, in milliseconds since 1970, where that is not when its delivery came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// What became of an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndForm {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The delivery that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// What became of it in Applications.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<OutcomeForm>,
    /// How many more Applications it concerned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnamed: usize,
}

/// What became of an image in an Application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutcomeForm {
    /// The Application's namespace.
    pub namespace: String,
    /// The Application's name.
    pub application: String,
    /// The image's alias.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// The word for it.
    pub outcome: String,
    /// From which version to which, or why.
    pub detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Milliseconds since 1970; 0 for what is before that.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// The time so many milliseconds after the beginning of 1970.
pub(crate) fn time(millis: u64) -> Result<SystemTime, String> {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    time.ok_or_else(|| format!("{millis} is no time"))
}

impl From<&ImageEvent> for EventForm {
    fn from(event: &ImageEvent) -> Self {
        Self {
            image: event.image.to_string(),
            tag: event.tag.to_string(),
            digest: event.digest.as_ref().map(ToString::to_string),
        }
    }
}

impl TryFrom<EventForm> for ImageEvent {
    type Error = String;

    fn try_from(form: EventForm) -> Result<Self, String> {
        let text = |error: &dyn ToString| error.to_string();
        Ok(Self {
            image: ImageName::parse(&form.image).map_err(|error| text(&error))?,
            tag: Tag::parse(&form.tag).map_err(|error| text(&error))?,
            digest: match form.digest {
                Some(digest) => Some(Digest::parse(&digest).map_err(|error| text(&error))?),
                None => None,
            },
        })
    }
}

impl From<&DeliveryRecord> for RecordForm {
    fn from(record: &DeliveryRecord) -> Self {
        let events = record.events.iter().map(|known| EventRecordForm {
            event: EventForm::from(&known.event),
            ended: EndForm::of(&known.state),
            waits: None,
        });
        Self {
            id: record.id.to_string(),
            sender: record.sender.clone(),
            key: record.key.as_ref().map(|key| key.as_str().to_owned()),
            at: millis(record.at),
            trace: record.trace.as_ref().map(|trace| trace.as_str().to_owned()),
            events: events.collect(),
        }
    }
}

impl From<&Accepted> for RecordForm {
    fn from(accepted: &Accepted) -> Self {
        Self::from(&DeliveryRecord::new(accepted))
    }
}

impl TryFrom<RecordForm> for DeliveryRecord {
    type Error = String;

    fn try_from(form: RecordForm) -> Result<Self, String> {
        let events = form.events.into_iter().map(|known| {
            Ok::<_, String>(EventRecord {
                event: known.event.try_into()?,
                state: match known.ended {
                    Some(end) => end.state()?,
                    None => EventState::Open,
                },
            })
        });
        Ok(Self {
            id: DeliveryId::new(form.id),
            sender: form.sender,
            key: form.key.as_deref().and_then(SenderKey::parse),
            at: time(form.at)?,
            trace: form.trace.as_deref().and_then(TraceParent::parse),
            events: events.collect::<Result<_, _>>()?,
        })
    }
}

impl EndForm {
    /// What became of an event; nothing as long as it waits or is in work.
    pub(crate) fn of(state: &EventState) -> Option<Self> {
        let EventState::Ended { at, fate, unnamed } = state else {
            return None;
        };
        let (superseded_by, outcomes) = match fate {
            Fate::Superseded(by) => (Some(by.to_string()), Vec::new()),
            Fate::Worked(outcomes) => (None, outcomes.iter().map(OutcomeForm::from).collect()),
        };
        Some(Self {
            at: millis(*at),
            superseded_by,
            outcomes,
            unnamed: *unnamed,
        })
    }

    /// How far that event is.
    pub(crate) fn state(self) -> Result<EventState, String> {
        let outcomes = self.outcomes.into_iter().map(ApplicationOutcome::try_from);
        let fate = match self.superseded_by {
            Some(by) => Fate::Superseded(DeliveryId::new(by)),
            None => Fate::Worked(outcomes.collect::<Result<_, _>>()?),
        };
        Ok(EventState::Ended {
            at: time(self.at)?,
            fate,
            unnamed: self.unnamed,
        })
    }
}

impl From<&ApplicationOutcome> for OutcomeForm {
    fn from(outcome: &ApplicationOutcome) -> Self {
        Self {
            namespace: outcome.application.namespace.clone(),
            application: outcome.application.name.clone(),
            alias: outcome.alias.clone(),
            outcome: outcome.outcome.name().to_owned(),
            detail: outcome.detail.clone(),
        }
    }
}

impl TryFrom<OutcomeForm> for ApplicationOutcome {
    type Error = String;

    fn try_from(form: OutcomeForm) -> Result<Self, String> {
        let outcome = ImageOutcome::named(&form.outcome);
        Ok(Self {
            outcome: outcome.ok_or_else(|| format!("{:?} is no outcome", form.outcome))?,
            application: ResourceId {
                namespace: form.namespace,
                name: form.application,
            },
            alias: form.alias,
            detail: form.detail,
        })
    }
}
