//! governor on tokio's clock, which tests can pause, for every adapter that limits a rate.

use std::ops::Add;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::clock::Reference;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::InMemoryState;
use governor::state::NotKeyed;
use tokio::time::Instant;

/// A limiter on this clock.
pub(super) type Limiter =
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<TokioInstant>>;

/// tokio's clock. It can stand still at a moment of the past.
#[derive(Debug, Clone, Default)]
pub(super) struct TokioClock {
    standing_at: Arc<Mutex<Option<Instant>>>,
}

impl TokioClock {
    /// One that stands still, if a moment is given, until it is told to go.
    pub(super) fn standing_at(moment: Option<Instant>) -> Self {
        Self {
            standing_at: Arc::new(Mutex::new(moment)),
        }
    }

    /// Has it go, and all its clones.
    pub(super) fn go(&self) {
        *self
            .standing_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A moment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokioInstant(Instant);

impl Clock for TokioClock {
    type Instant = TokioInstant;

    fn now(&self) -> TokioInstant {
        let standing_at = self
            .standing_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        TokioInstant(standing_at.unwrap_or_else(Instant::now))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_follows_the_paused_time_unless_it_stands() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let (going, standing) = (TokioClock::default(), TokioClock::standing_at(Some(start)));
        let clone = standing.clone();
        tokio::time::advance(second).await;
        assert_eq!(going.now(), TokioInstant(start + second));
        assert_eq!(standing.now(), TokioInstant(start));
        clone.go();
        assert_eq!(standing.now(), going.now());
        assert_eq!(
            going.now().duration_since(TokioInstant(start)),
            second.into()
        );
    }
}
