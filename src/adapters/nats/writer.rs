//! Says to the server what became of deliveries, and takes those out of the stream that are done.
//!
//! It goes on until the server has it: before that, whoever reads the stream works on them again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tracing::error;
use tracing::warn;

use super::form;
use super::form::NoteForm;
use super::server::ServerError;
use super::shared::Shared;
use super::shortened::by_name;
use super::shortened::in_a_word;
use super::shortened::in_short;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventState;
use crate::domain::queue::record::Progress;

/// How many are written together.
const TOGETHER: usize = 64;
/// How often one is tried in which others write too.
const ATTEMPTS: usize = 8;
/// What is left of a message for what the server is told along with it, in bytes.
const HEADERS: usize = 256;
/// How a note can be told, from the longest to the shortest. The last does only where all has ended.
const WAYS: [fn(&DeliveryRecord) -> DeliveryRecord; 4] =
    [DeliveryRecord::clone, in_short, in_a_word, by_name];
/// How long it rests after something went wrong.
const REST: Duration = Duration::from_millis(500);

/// Writes for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut complained = false;
    loop {
        let taken = {
            let mut state = shared.state();
            // Before it is certain that the stream is the one that was read, numbers may be those of other deliveries.
            if state.is_current() {
                state.unwritten.take(TOGETHER)
            } else {
                Vec::new()
            }
        };
        if taken.is_empty() {
            shared.changed();
            shared.moved.notify_one();
            shared.ended.notified().await;
            continue;
        }
        let failed = write(&shared, taken).await;
        let has_failed = !failed.is_empty();
        if let Some((_, reason)) = failed.first().filter(|_| !complained) {
            warn!("what became of deliveries cannot be written, and is written later: {reason}");
        }
        complained = has_failed;
        let failed = failed.into_iter().map(|(delivery, _)| delivery).collect();
        shared.state().unwritten.put_back(failed);
        if has_failed {
            tokio::time::sleep(REST).await;
        }
    }
}

type Numbered = (u64, DeliveryRecord);

/// A delivery, and what came of writing its note.
type Written = (Numbered, Result<(), ServerError>);

/// Writes deliveries in their order. Gives back those that could not be written, with the reason.
async fn write(shared: &Shared, taken: Vec<Numbered>) -> Vec<(Numbered, ServerError)> {
    let mut written = Vec::new();
    let mut new = Vec::new();
    let mut taken = taken.into_iter();
    while let Some((number, mut record)) = taken.next() {
        if !shared.state().remembered.knows(&record.id) {
            new.push((number, record));
            continue;
        }
        // What took the place of a part of it is written after it: where this process ends in between, the older one must not be what is left.
        written.append(&mut note_new(shared, std::mem::take(&mut new)).await);
        let joined = join(shared, number, &mut record).await;
        // What is too long by itself is no reason to write nothing after it.
        let failed = joined.as_ref().err();
        let failed = failed
            .filter(|error| **error != ServerError::TooLarge)
            .cloned();
        written.push(((number, record), joined));
        if let Some(error) = failed {
            let rest = taken.by_ref();
            written.extend(rest.map(|delivery| (delivery, Err(error.clone()))));
        }
    }
    written.append(&mut note_new(shared, new).await);
    let cleared = written
        .into_iter()
        .map(|(delivery, written)| clear(shared, delivery, written));
    join_all(cleared).await.into_iter().flatten().collect()
}

/// Writes deliveries together of which there is no note yet, as far as is known here.
async fn note_new(shared: &Shared, new: Vec<Numbered>) -> Vec<Written> {
    let mut sent = Vec::new();
    for (number, record) in &new {
        let subject = shared.server.names.note(&record.id);
        let (_, content) = content(shared, *number, record, 0);
        sent.push(shared.server.send(subject, content, Some(0)).await);
    }
    let stored = join_all(sent.into_iter().map(|sent| shared.server.stored(sent))).await;
    let mut written = Vec::new();
    for ((number, mut record), stored) in new.into_iter().zip(stored) {
        let stored = match stored {
            Ok(_) => Ok(()),
            // There is a note, or no room for one, or not for such a long one.
            Err(ServerError::Conflict | ServerError::Full { .. } | ServerError::TooLarge) => {
                join(shared, number, &mut record).await
            }
            Err(error) => Err(error),
        };
        written.push(((number, record), stored));
    }
    written
}

/// Takes a delivery out of the stream of which all is done and said.
async fn clear(
    shared: &Shared,
    delivery: Numbered,
    said: Result<(), ServerError>,
) -> Option<(Numbered, ServerError)> {
    let (number, record) = &delivery;
    let cleared = match said {
        Ok(()) if record.progress() == Progress::Open => Ok(()),
        Ok(()) => shared.server.delete(*number).await.map(|_| ()),
        // A part of it is open, and is not to be worked on again: perhaps it will fit.
        Err(ServerError::TooLarge) if record.progress() == Progress::Open => {
            Err(ServerError::TooLarge)
        }
        Err(ServerError::TooLarge) => {
            error!(delivery = %record.id, "what became of a delivery is too long to be remembered; raise the NATS server's max_payload, or the stream's max-msg-size");
            shared.server.delete(*number).await.map(|_| ())
        }
        Err(error) => Err(error),
    };
    cleared.err().map(|error| (delivery, error))
}

/// Writes a delivery of which there is a note: an earlier one of ours, one of a replica that has worked on other events of it, or one of an earlier
/// time, before it was delivered again.
async fn join(
    shared: &Shared,
    number: u64,
    record: &mut DeliveryRecord,
) -> Result<(), ServerError> {
    let subject = shared.server.names.note(&record.id);
    let mut way = 0;
    for _ in 0..ATTEMPTS {
        let last = shared.server.last(&subject).await?;
        let after = last.as_ref().map_or(0, |last| last.number);
        let noted = last.and_then(|last| note(&last.content));
        match noted {
            // It was delivered again since then.
            Some((later, _)) if later > number => return Ok(()),
            Some((same, noted)) if same == number => add(record, noted),
            Some(_) | None => {}
        }
        let (taken, content) = content(shared, number, record, way);
        match shared.append(subject.clone(), content, Some(after)).await {
            Ok(_) => return Ok(()),
            Err(ServerError::Conflict) => {}
            // Less is allowed than we know of.
            Err(ServerError::TooLarge) if taken + 1 < ways(record).len() => way = taken + 1,
            Err(error) => return Err(error),
        }
    }
    Err(ServerError::Conflict)
}

fn note(content: &[u8]) -> Option<(u64, DeliveryRecord)> {
    let form: Result<NoteForm, String> = form::read(content);
    let read = form.and_then(|form| Ok((form.number, form.record()?)));
    let unreadable = |reason: &String| error!(reason, "a note of a delivery cannot be read");
    read.inspect_err(unreadable).ok()
}

/// Adds what is noted to what is known.
fn add(record: &mut DeliveryRecord, noted: DeliveryRecord) {
    for (known, noted) in record.events.iter_mut().zip(noted.events) {
        if known.state == EventState::Open {
            known.state = noted.state;
        }
    }
}

/// How the note of a delivery can be told.
fn ways(record: &DeliveryRecord) -> &'static [fn(&DeliveryRecord) -> DeliveryRecord] {
    let is_open = record.progress() == Progress::Open;
    &WAYS[..WAYS.len() - usize::from(is_open)]
}

/// The note of a delivery, told in the first way from that one on that fits into a message, or in the last. As the delivery took half of a message at
/// the most, it fits in a word at least, unless less is allowed since.
fn content(shared: &Shared, number: u64, record: &DeliveryRecord, way: usize) -> (usize, Vec<u8>) {
    let most = shared.largest().saturating_sub(HEADERS);
    let ways = ways(record);
    let last = ways.len() - 1;
    let mut way = way.min(last);
    loop {
        let content = form::write(&NoteForm::of(number, &ways[way](record)));
        if content.len() <= most || way == last {
            return (way, content);
        }
        way += 1;
    }
}
