//! A pace that is watched.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::domain::rate_policy::RatePolicy;
use crate::ports::pace::Pace;
use crate::ports::pace_meter::Limit;
use crate::ports::pace_meter::PaceMeter;

/// How often a wait is counted that goes on: whoever asks for the rate of the time that was waited must not see none, and then more than there was.
const OFTEN: Duration = Duration::from_secs(1);

/// Any pace, of which it is counted how long work waits for it.
pub struct WatchedPace {
    /// The pace.
    pub pace: Arc<dyn Pace>,
    /// What it is counted as.
    pub limit: Limit,
    /// Counts.
    pub meter: Arc<dyn PaceMeter>,
}

/// Somebody who waits. Most waits are given up and begun again, as something else is to be done meanwhile: their times add up.
struct Wait<'a> {
    watched: &'a WatchedPace,
    /// Since when it is not counted.
    since: Instant,
    had_turn: bool,
}

impl Wait<'_> {
    fn count(&mut self) {
        let WatchedPace { limit, meter, .. } = self.watched;
        let now = Instant::now();
        meter.waited(*limit, now - self.since);
        self.since = now;
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.count();
        let WatchedPace { limit, meter, .. } = self.watched;
        meter.ended(*limit, self.had_turn);
    }
}

#[async_trait]
impl Pace for WatchedPace {
    async fn turn(&self) {
        self.meter.waits(self.limit);
        let mut wait = Wait {
            watched: self,
            since: Instant::now(),
            had_turn: false,
        };
        let mut turn = self.pace.turn();
        while timeout(OFTEN, &mut turn).await.is_err() {
            wait.count();
        }
        wait.had_turn = true;
    }

    fn set_rate(&self, policy: RatePolicy) {
        self.pace.set_rate(policy);
    }
}

#[cfg(test)]
mod tests {
    use mockall::predicate::eq;
    use std::sync::Mutex;
    use tokio::time::sleep;

    use super::*;
    use crate::ports::pace_meter::MockPaceMeter;

    const SECOND: Duration = Duration::from_secs(1);

    /// Gives a turn after ten seconds.
    struct Slow;

    #[async_trait]
    impl Pace for Slow {
        async fn turn(&self) {
            sleep(10 * SECOND).await;
        }

        fn set_rate(&self, _: RatePolicy) {}
    }

    #[tokio::test(start_paused = true)]
    async fn waits_that_are_given_up_count_as_well() {
        let waited = Arc::new(Mutex::new(Duration::ZERO));
        let mut meter = MockPaceMeter::new();
        meter.expect_waits().times(2).return_const(());
        let seen = Arc::clone(&waited);
        meter.expect_waited().returning(move |limit, time| {
            assert_eq!(limit, Limit::EventsPerHour);
            *seen.lock().unwrap() += time;
        });
        for had_turn in [false, true] {
            let ended = meter.expect_ended().once();
            ended
                .with(eq(Limit::EventsPerHour), eq(had_turn))
                .return_const(());
        }
        let pace = WatchedPace {
            pace: Arc::new(Slow),
            limit: Limit::EventsPerHour,
            meter: Arc::new(meter),
        };
        let waited = || *waited.lock().unwrap();
        let mut turn = pace.turn();
        assert!(timeout(SECOND * 5 / 2, &mut turn).await.is_err());
        assert_eq!(waited(), 2 * SECOND, "it counts while it goes on");
        drop(turn);
        assert_eq!(waited(), SECOND * 5 / 2);
        pace.turn().await;
        assert_eq!(waited(), SECOND * 25 / 2);
    }
}
