//! Counting how long work waits for its turn.

use std::time::Duration;

/// Counts turns and waits.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait PaceMeter: Send + Sync {
    /// Somebody waits for a turn. It ends with [`ended`](Self::ended).
    fn waits(&self, limit: Limit);

    /// Somebody who waits has done so for this time more.
    fn waited(&self, limit: Limit, time: Duration);

    /// Somebody waits no more, as they had their turn or gave up.
    fn ended(&self, limit: Limit, had_turn: bool);
}

/// What spaces work out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// How many events that lead to work are worked on in an hour.
    EventsPerHour,
    /// How many Applications are changed in a minute.
    UpdatesPerMinute,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 2] = [Self::EventsPerHour, Self::UpdatesPerMinute];

    /// A name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EventsPerHour => "events_per_hour",
            Self::UpdatesPerMinute => "updates_per_minute",
        }
    }
}
