//! A delivery under the eyes of whoever watches.

use tokio::time::Instant;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::ports::delivery_watcher::Answered;
use crate::ports::delivery_watcher::DeliveryOutcome;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::delivery_watcher::Refusal;
use crate::ports::webhook_intake::Outcome;
use crate::ports::webhook_intake::Rejection;

/// A delivery that is being answered. When it is dropped, the watcher is told; so a connection that ends meanwhile is told too.
pub(super) struct Watched<'a> {
    watcher: &'a dyn DeliveryWatcher,
    id: DeliveryId,
    claimed: Option<&'a str>,
    since: Instant,
    /// What has become of it so far.
    pub(super) outcome: DeliveryOutcome,
}

impl<'a> Watched<'a> {
    /// A delivery has come, of which the head is there.
    pub(super) fn begin(
        watcher: &'a dyn DeliveryWatcher,
        head: &Delivery,
        claimed: Option<&'a str>,
        since: Instant,
    ) -> Self {
        watcher.arrived(head);
        Self {
            watcher,
            id: head.id.clone(),
            claimed,
            since,
            outcome: DeliveryOutcome::Rejected(Refusal::Gone),
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.watcher.answered(Answered {
            delivery: &self.id,
            claimed: self.claimed,
            outcome: self.outcome,
            took: self.since.elapsed(),
        });
    }
}

/// An outcome, for those who watch.
pub(super) fn outcome(outcome: &Outcome) -> DeliveryOutcome {
    match outcome {
        Outcome::Accepted { .. } => DeliveryOutcome::Accepted,
        Outcome::Duplicate { .. } => DeliveryOutcome::Duplicate,
        Outcome::Ignored { .. } => DeliveryOutcome::Ignored,
        Outcome::Rejected(rejection) => rejected(rejection),
    }
}

/// A rejection, for those who watch.
pub(super) fn rejected(rejection: &Rejection) -> DeliveryOutcome {
    DeliveryOutcome::Rejected(match rejection {
        Rejection::NoHandler => Refusal::NoHandler,
        Rejection::MissingSecret => Refusal::MissingSecret,
        Rejection::InvalidSecret => Refusal::InvalidSecret,
        Rejection::Malformed { .. } => Refusal::Malformed,
        Rejection::Busy { .. } => Refusal::Busy,
        Rejection::Unavailable { .. } => Refusal::Unavailable,
    })
}
