//! Takes deliveries in.

use std::time::Duration;

use super::form;
use super::form::DeliveryForm;
use super::server::ServerError;
use super::shared::Shared;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// When a sender that finds no room, or no server, may try again.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long a delivery that the server has is waited for until it is known here, too.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a delivery is tried that others push at the same moment.
const ATTEMPTS: usize = 4;

/// Queues a delivery.
pub(super) async fn push(
    shared: &Shared,
    accepted: &Accepted,
    capacity: usize,
) -> Result<Pushed, QueueError> {
    if !shared.state().is_current() {
        return Err(unavailable(format!(
            "what the NATS server at {} holds is not read yet, or it cannot be reached",
            shared.server.place()
        )));
    }
    let same = same(shared, accepted).await;
    if let Some(same) = same.map_err(|error| unavailable(error.to_string()))? {
        return Ok(Pushed::Duplicate(same));
    }
    if shared.state().open.is_full_for(accepted, capacity) {
        return Err(QueueError::Full {
            retry_after: RETRY_AFTER,
        });
    }
    keep(shared, accepted).await
}

/// The open delivery that its sender calls by the same name. Where others work on it, it is open only as long as the stream has it: their word of its
/// end may be lost to us, and what comes again would be swallowed.
async fn same(shared: &Shared, accepted: &Accepted) -> Result<Option<DeliveryId>, ServerError> {
    let Some(key) = &accepted.key else {
        return Ok(None);
    };
    let (number, id, is_foreign) = {
        let state = shared.state();
        let Some((number, id)) = state.open.same_as(key) else {
            return Ok(None);
        };
        (number, id.clone(), state.is_foreign(number))
    };
    if !is_foreign || shared.server.holds(number).await? {
        return Ok(Some(id));
    }
    shared.state().miss(number);
    Ok(None)
}

/// Has the server keep a delivery, for which there is room.
pub(super) async fn keep(shared: &Shared, accepted: &Accepted) -> Result<Pushed, QueueError> {
    let content = form::write(&DeliveryForm::from(accepted));
    // What becomes of it has to fit as well.
    if content.len() > shared.largest() / 2 {
        return Err(unavailable(format!(
            "the delivery takes {} bytes, and half a message of the NATS server is less; raise its max_payload, or the stream's max-msg-size",
            content.len()
        )));
    }
    let room = shared.check_room().await;
    room.map_err(|error| unavailable(error.to_string()))?;
    let _expected = Expected::new(shared, accepted);
    match append(shared, accepted, content).await {
        Ok(Stored::New(number)) => {
            // It is safe already: this is to know what it took the place of, and that whoever comes next finds it.
            shared
                .until(PATIENCE, |state| state.applied() >= number)
                .await;
            let placements = shared.state().pushed.placements(&accepted.delivery);
            let unknown = || vec![Placement::Added; accepted.events.len()];
            Ok(Pushed::Queued(placements.unwrap_or_else(unknown)))
        }
        Ok(Stored::Same(id)) => Ok(Pushed::Duplicate(id)),
        Err(error) => Err(unavailable(error.to_string())),
    }
}

enum Stored {
    New(u64),
    Same(DeliveryId),
}

/// Appends a delivery, unless something of the same one is open.
async fn append(
    shared: &Shared,
    accepted: &Accepted,
    content: Vec<u8>,
) -> Result<Stored, ServerError> {
    let subject = shared.server.names.delivery(accepted);
    let mut after = 0;
    for _ in 0..ATTEMPTS {
        let appended = shared
            .append(subject.clone(), content.clone(), Some(after))
            .await;
        match appended {
            Ok(number) => return Ok(Stored::New(number)),
            Err(ServerError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let Some(last) = shared.server.last(&subject).await? else {
            after = 0;
            continue;
        };
        let is_applied = shared
            .until(PATIENCE, |state| state.applied() >= last.number)
            .await;
        if !is_applied {
            return Err(ServerError::Conflict);
        }
        if let Some(open) = shared.state().open.numbered(last.number) {
            return Ok(Stored::Same(open.id.clone()));
        }
        // It is done, and only not taken out of the stream yet: this one takes its place.
        after = last.number;
    }
    Err(ServerError::Conflict)
}

/// That we want to know where the events of a delivery go, until we know or give up.
struct Expected<'s> {
    shared: &'s Shared,
    id: DeliveryId,
}

impl<'s> Expected<'s> {
    fn new(shared: &'s Shared, accepted: &Accepted) -> Self {
        let id = accepted.delivery.clone();
        shared.state().pushed.expect(id.clone());
        Self { shared, id }
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.shared.state().pushed.placements(&self.id);
    }
}

fn unavailable(reason: String) -> QueueError {
    QueueError::Unavailable {
        reason,
        retry_after: RETRY_AFTER,
    }
}
