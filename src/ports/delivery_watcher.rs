//! Watching deliveries come in.

use std::time::Duration;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;

/// Sees every delivery come and go. It never waits and never fails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait DeliveryWatcher: Send + Sync {
    /// The head of a delivery is there. Nothing in it is proven yet, and its body is empty.
    fn arrived(&self, head: &Delivery);

    /// A delivery that has [`arrived`](Self::arrived) is about to be answered, or never will be.
    #[expect(
        clippy::elidable_lifetime_names,
        reason = "mockall wants the lifetime named"
    )]
    fn answered<'a>(&self, answered: Answered<'a>);
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered<'a> {
    /// Our name for it.
    pub delivery: &'a DeliveryId,
    /// The type that the sender gave itself, if any. Anybody can write anything there.
    pub claimed: Option<&'a str>,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// The time since its head was complete.
    pub took: Duration,
}

/// The outcomes of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryOutcome {
    /// It will be worked on.
    Accepted,
    /// It waits or is in work already.
    Duplicate,
    /// It is authentic and means nothing to us.
    Ignored,
    /// It was not taken.
    Rejected(Refusal),
}

/// Why a delivery was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such type, or one without a secret.
    NoHandler,
    /// It carries no secret or signature.
    MissingSecret,
    /// Its secret or signature is wrong.
    InvalidSecret,
    /// It is authentic, but no payload of its type.
    Malformed,
    /// There is no room for it now.
    Busy,
    /// It cannot be kept safe now.
    Unavailable,
    /// It came from a network or without a certificate from which deliveries of its type are not taken.
    TurnedAway,
    /// Its body did not come whole, in time and within the limit.
    Body,
    /// Its connection ended before it could be answered.
    Gone,
}

impl DeliveryOutcome {
    /// Every outcome.
    pub const ALL: [Self; 12] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Ignored,
        Self::Rejected(Refusal::NoHandler),
        Self::Rejected(Refusal::MissingSecret),
        Self::Rejected(Refusal::InvalidSecret),
        Self::Rejected(Refusal::Malformed),
        Self::Rejected(Refusal::Busy),
        Self::Rejected(Refusal::Unavailable),
        Self::Rejected(Refusal::TurnedAway),
        Self::Rejected(Refusal::Body),
        Self::Rejected(Refusal::Gone),
    ];

    /// Whether it has proved who sent it, and nothing is wrong with it.
    #[must_use]
    pub fn is_taken(self) -> bool {
        match self {
            Self::Accepted | Self::Duplicate | Self::Ignored => true,
            Self::Rejected(_) => false,
        }
    }

    /// Whether it has proved who sent it, whatever came of it.
    #[must_use]
    pub fn is_authentic(self) -> bool {
        use Refusal::{Body, Busy, Gone, InvalidSecret, Malformed, MissingSecret};
        use Refusal::{NoHandler, TurnedAway, Unavailable};
        match self {
            Self::Accepted
            | Self::Duplicate
            | Self::Ignored
            | Self::Rejected(Malformed | Busy | Unavailable) => true,
            Self::Rejected(
                NoHandler | MissingSecret | InvalidSecret | TurnedAway | Body | Gone,
            ) => false,
        }
    }

    /// Its name, as in answers and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Rejected(_) => "rejected",
        }
    }
}

impl Refusal {
    /// A name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoHandler => "no_handler",
            Self::MissingSecret => "missing_secret",
            Self::InvalidSecret => "invalid_secret",
            Self::Malformed => "malformed",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::TurnedAway => "turned_away",
            Self::Body => "body",
            Self::Gone => "gone",
        }
    }
}
