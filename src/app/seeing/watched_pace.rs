//! A pace that is watched.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::domain::rate_policy::RatePolicy;
use crate::ports::pace::Pace;
use crate::ports::pace_meter::Limit;
use crate::ports::pace_meter::PaceMeter;

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
    since: Instant,
    had_turn: bool,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let WatchedPace { limit, meter, .. } = self.watched;
        meter.waited(*limit, self.since.elapsed(), self.had_turn);
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
        self.pace.turn().await;
        wait.had_turn = true;
    }

    fn set_rate(&self, policy: RatePolicy) {
        self.pace.set_rate(policy);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::time::sleep;
    use tokio::time::timeout;

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
        let waited = Arc::new(Mutex::new(Vec::new()));
        let mut meter = MockPaceMeter::new();
        meter.expect_waits().times(2).return_const(());
        let seen = Arc::clone(&waited);
        meter
            .expect_waited()
            .returning(move |limit, time, had_turn| {
                assert_eq!(limit, Limit::EventsPerHour);
                seen.lock().unwrap().push((time, had_turn));
            });
        let pace = WatchedPace {
            pace: Arc::new(Slow),
            limit: Limit::EventsPerHour,
            meter: Arc::new(meter),
        };
        assert!(timeout(3 * SECOND, pace.turn()).await.is_err());
        pace.turn().await;
        let waited = waited.lock().unwrap();
        assert_eq!(*waited, [(3 * SECOND, false), (10 * SECOND, true)]);
    }
}
