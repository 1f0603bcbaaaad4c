//! How many events may be worked on an hour.

use std::num::NonZeroU32;
use std::time::Duration;

/// At most so many events that lead to work in any hour, evenly spaced; the excess waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatePolicy {
    /// No limit.
    Unlimited,
    /// So many an hour.
    PerHour(NonZeroU32),
}

impl RatePolicy {
    /// Reads a number of events an hour; 0 is no limit.
    #[must_use]
    pub fn per_hour(events: u32) -> Self {
        NonZeroU32::new(events).map_or(Self::Unlimited, Self::PerHour)
    }

    /// The least time between two events. Spacing them evenly, without a burst, is what makes N an hour mean N in *any* hour.
    #[must_use]
    pub fn interval(self) -> Option<Duration> {
        const HOUR: u64 = 3_600_000_000_000;
        match self {
            Self::Unlimited => None,
            // Rounded up: rounded down, the last of N + 1 events would still fall into the hour of the first.
            Self::PerHour(events) => Some(Duration::from_nanos(HOUR.div_ceil(events.get().into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_an_hour_waits_an_hour() {
        assert_eq!(
            RatePolicy::per_hour(1).interval(),
            Some(Duration::from_secs(3600))
        );
        assert_eq!(
            RatePolicy::per_hour(60).interval(),
            Some(Duration::from_secs(60))
        );
        assert_eq!(RatePolicy::per_hour(0).interval(), None);
    }
}
