//! The doorway to a registry: so many requests in a second, so many at once, and none while it wants to be left alone.

use std::num::NonZeroU32;
use std::sync::PoisonError;
use std::time::Duration;

use governor::Quota;
use governor::RateLimiter;
use governor::clock::Clock;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tokio::time::sleep;

use crate::adapters::tokio_clock::Limiter;
use crate::adapters::tokio_clock::TokioClock;

/// As many as the Go program has connections to a host.
const AT_ONCE: usize = 10;

/// Lets requests through. Who gives up waiting has taken nothing.
pub(super) struct Doorway {
    limiter: Option<Limiter>,
    /// Only its holder asks the limiter, so that turns are in the order in which they were asked for.
    turns: Mutex<()>,
    places: Semaphore,
    closed_until: std::sync::Mutex<Option<Instant>>,
}

/// The registry wants to be left alone for so long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed(pub(super) Duration);

impl Doorway {
    pub(super) fn new(limit: Option<NonZeroU32>) -> Self {
        let limiter =
            |limit| RateLimiter::direct_with_clock(Quota::per_second(limit), TokioClock::default());
        Self {
            limiter: limit.map(limiter),
            turns: Mutex::new(()),
            places: Semaphore::new(AT_ONCE),
            closed_until: std::sync::Mutex::new(None),
        }
    }

    /// Waits for a place and a turn, and says how long the wait for the turn was. The place is given back when the permit is dropped.
    ///
    /// # Errors
    /// [`Closed`] where the registry wants to be left alone for longer than that.
    pub(super) async fn enter(
        &self,
        patience: Duration,
    ) -> Result<(Option<SemaphorePermit<'_>>, Duration), Closed> {
        // Fails only where it was closed, which nobody does.
        let place = self.places.acquire().await.ok();
        let start = Instant::now();
        let _turn = self.turns.lock().await;
        loop {
            let closed = self.closed_for();
            if closed > patience {
                return Err(Closed(closed));
            }
            let wait = closed.max(self.wait());
            if wait.is_zero() {
                return Ok((place, start.elapsed()));
            }
            // tokio's timers have a resolution of a millisecond.
            sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    /// Closes it for a time.
    pub(super) fn close(&self, time: Duration) {
        let Some(until) = Instant::now().checked_add(time) else {
            return;
        };
        let mut closed = self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *closed = Some(closed.map_or(until, |known| known.max(until)));
    }

    fn closed_for(&self) -> Duration {
        let closed = self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        closed.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// Takes a turn, or says how long there is none. While the doorway is closed it takes none.
    fn wait(&self) -> Duration {
        let Some(limiter) = self
            .limiter
            .as_ref()
            .filter(|_| self.closed_for().is_zero())
        else {
            return Duration::ZERO;
        };
        match limiter.check() {
            Ok(()) => Duration::ZERO,
            Err(not_until) => not_until.wait_time_from(limiter.clock().now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_requests_than_the_limit_but_the_first() {
        let doorway = Doorway::new(NonZeroU32::new(10));
        let start = Instant::now();
        let mut waited = Duration::ZERO;
        for _ in 0..60 {
            waited += doorway.enter(LONG).await.unwrap().1;
        }
        assert_eq!(waited, start.elapsed());
        let took = start.elapsed();
        let expected = Duration::from_secs(5);
        assert!(took >= expected && took < expected * 2, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_takes_no_turn() {
        let doorway = Doorway::new(NonZeroU32::new(1));
        doorway.enter(LONG).await.unwrap();
        for _ in 0..10 {
            let early = timeout(Duration::from_millis(10), doorway.enter(LONG)).await;
            assert!(early.is_err());
        }
        let start = Instant::now();
        doorway.enter(LONG).await.unwrap();
        assert!(start.elapsed() <= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_in_at_once() {
        let doorway = Arc::new(Doorway::new(None));
        let mut inside = Vec::new();
        for _ in 0..AT_ONCE {
            inside.push(doorway.enter(LONG).await.unwrap());
        }
        let next = timeout(LONG, doorway.enter(LONG)).await;
        assert!(next.is_err());
        inside.pop();
        assert!(timeout(LONG, doorway.enter(LONG)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_enters_while_it_is_closed() {
        let doorway = Doorway::new(NonZeroU32::new(10));
        doorway.close(Duration::from_secs(20));
        doorway.close(Duration::from_secs(10));
        let refused = doorway.enter(Duration::from_secs(5)).await.map(|_| ());
        assert_eq!(refused, Err(Closed(Duration::from_secs(20))));
        let start = Instant::now();
        doorway.enter(LONG).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(20));
    }
}
