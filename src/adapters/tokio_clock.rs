//! tokio's clock for governor, for every adapter that keeps a rate: tests can pause it.

use std::ops::Add;
use std::time::Duration;

use governor::clock::Clock;
use governor::clock::Reference;
use governor::nanos::Nanos;
use tokio::time::Instant;

/// tokio's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioClock;

/// A moment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokioInstant(pub(crate) Instant);

impl Clock for TokioClock {
    type Instant = TokioInstant;

    fn now(&self) -> TokioInstant {
        TokioInstant(Instant::now())
    }
}

impl Reference for TokioInstant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for TokioInstant {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0 + Duration::from(duration))
    }
}
