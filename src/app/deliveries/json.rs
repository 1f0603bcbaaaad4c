//! Deliveries for programs.

use std::time::SystemTime;

use serde::Serialize;

use crate::domain::delivery::SenderKey;
use crate::domain::queue::fate::ApplicationOutcome;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventRecord;
use crate::domain::queue::record::EventState;
use crate::domain::reference::Digest;

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    sender: &'a str,
    sender_id: Option<&'a str>,
    received: String,
    state: &'static str,
    images: Vec<ShownEvent<'a>>,
}

#[derive(Serialize)]
struct ShownEvent<'a> {
    registry: String,
    repository: String,
    tag: &'a str,
    digest: Option<&'a str>,
    ended: Option<String>,
    superseded_by: Option<&'a str>,
    applications: Vec<ShownOutcome<'a>>,
    more_applications: usize,
}

#[derive(Serialize)]
struct ShownOutcome<'a> {
    namespace: &'a str,
    name: &'a str,
    alias: &'a str,
    outcome: &'static str,
    detail: &'a str,
}

/// One JSON object a line.
///
/// # Errors
/// What serde says; there is nothing in it that cannot be written.
pub fn render(records: &[DeliveryRecord]) -> Result<String, serde_json::Error> {
    let lines: Result<Vec<String>, _> = records
        .iter()
        .map(|record| serde_json::to_string(&shown(record)))
        .collect();
    Ok(lines?.join("\n"))
}

fn shown(record: &DeliveryRecord) -> Shown<'_> {
    Shown {
        id: record.id.as_str(),
        sender: &record.sender,
        sender_id: record.key.as_ref().map(SenderKey::as_str),
        received: time(record.at),
        state: record.progress().name(),
        images: record.events.iter().map(event).collect(),
    }
}

fn event(record: &EventRecord) -> ShownEvent<'_> {
    let event = &record.event;
    let mut shown = ShownEvent {
        registry: event.image.registry().to_string(),
        repository: event.image.repository().to_string(),
        tag: event.tag.as_str(),
        digest: event.digest.as_ref().map(Digest::as_str),
        ended: None,
        superseded_by: None,
        applications: Vec::new(),
        more_applications: 0,
    };
    if let EventState::Ended { at, fate, unnamed } = &record.state {
        shown.ended = Some(time(*at));
        shown.more_applications = *unnamed;
        match fate {
            Fate::Superseded(by) => shown.superseded_by = Some(by.as_str()),
            Fate::Worked(outcomes) => shown.applications = outcomes.iter().map(outcome).collect(),
        }
    }
    shown
}

fn outcome(outcome: &ApplicationOutcome) -> ShownOutcome<'_> {
    ShownOutcome {
        namespace: &outcome.application.namespace,
        name: &outcome.application.name,
        alias: &outcome.alias,
        outcome: outcome.outcome.name(),
        detail: &outcome.detail,
    }
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
