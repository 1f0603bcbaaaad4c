//! The rows of the journal: each a delivery, with what became of its events, or where they wait.

use std::time::SystemTime;

use crate::adapters::wire::journal::EndForm;
use crate::adapters::wire::journal::EventRecordForm;
use crate::adapters::wire::journal::RecordForm;
use crate::adapters::wire::journal::WaitForm;
use crate::adapters::wire::journal::millis;
use crate::adapters::wire::journal::time;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::EventState;

/// The row of a delivery whose events wait, the first under that number and the others under those that follow.
pub(super) fn row(accepted: &Accepted, first: u64) -> RecordForm {
    let mut row = RecordForm::from(accepted);
    wait(&mut row, first, None);
    row
}

/// Lets all events of a delivery wait again, from then on.
pub(super) fn begin_again(row: &mut RecordForm, first: u64, at: SystemTime) {
    wait(row, first, Some(millis(at)));
}

fn wait(row: &mut RecordForm, first: u64, since: Option<u64>) {
    for (entry, known) in (first..).zip(&mut row.events) {
        known.waits = Some(WaitForm { entry, since });
        known.ended = None;
    }
}

/// Notes what became of an event. Nothing happens where it does not wait under its number.
pub(super) fn end(row: &mut RecordForm, queued: &QueuedEvent, at: SystemTime, fate: &Fate) {
    let is_meant = |known: &&mut EventRecordForm| {
        let entry = known.waits.as_ref().map(|wait| wait.entry);
        entry == Some(queued.entry.0)
    };
    if let Some(known) = row.events.iter_mut().find(is_meant) {
        known.waits = None;
        known.ended = EndForm::of(&EventState::ended(at, fate));
    }
}

/// Whether an event of a delivery waits or is in work.
pub(super) fn is_open(row: &RecordForm) -> bool {
    row.events.iter().any(|known| known.waits.is_some())
}

/// What its sender calls a delivery.
pub(super) fn key(row: &RecordForm) -> Option<SenderKey> {
    SenderKey::parse(row.key.as_deref()?)
}

/// What waits of a delivery.
///
/// # Errors
/// What is wrong with it.
pub(super) fn waiting(row: &RecordForm) -> Result<Vec<QueuedEvent>, String> {
    let delivery = DeliveryId::new(row.id.as_str());
    let trace = row.trace.as_deref().and_then(TraceParent::parse);
    let waiting = row
        .events
        .iter()
        .filter_map(|known| Some((known.waits.as_ref()?, &known.event)));
    let waiting = waiting.map(|(wait, event)| {
        Ok(QueuedEvent {
            entry: EntryId(wait.entry),
            event: event.clone().try_into()?,
            delivery: delivery.clone(),
            at: time(wait.since.unwrap_or(row.at))?,
            trace: trace.clone(),
        })
    });
    waiting.collect()
}
