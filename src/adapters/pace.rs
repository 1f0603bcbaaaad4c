//! The hourly rate, kept by governor on tokio's clock.
//!
//! governor's own waiting is neither first come, first served nor on tokio's clock, and its quota of N an hour lets a burst of N pass at
//! once. So the quota here is one event an interval without a burst, and a mutex keeps the order. A changed rate is another limiter, which is
//! told of the last turn.

use std::time::Duration;

use async_trait::async_trait;
use governor::Quota;
use governor::RateLimiter;
use governor::clock::Clock;
use tokio::sync::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep;

use crate::adapters::tokio_clock::Limiter;
use crate::adapters::tokio_clock::TokioClock;
use crate::domain::rate_policy::RatePolicy;
use crate::ports::pace::Pace;

/// Gives turns at the rate of a [`RatePolicy`].
pub struct Governed {
    policy: watch::Sender<RatePolicy>,
    lifted: watch::Sender<bool>,
    /// Only the holder of the lock asks the limiter and waits, so turns are given in the order in which they were asked for.
    turns: Mutex<Turns>,
}

/// The turns so far.
struct Turns {
    /// What the limiter is for.
    policy: RatePolicy,
    limiter: Option<Limiter>,
    last: Option<Instant>,
}

impl Governed {
    /// Turns at that rate, the first one at once.
    #[must_use]
    pub fn new(policy: RatePolicy) -> Self {
        Self {
            policy: watch::Sender::new(policy),
            lifted: watch::Sender::new(false),
            turns: Mutex::new(Turns {
                policy,
                limiter: limiter(policy, None),
                last: None,
            }),
        }
    }

    /// Lifts the limit for good: everybody who waits gets a turn now. A process that ends does not keep what it has for an hour.
    pub fn lift(&self) {
        self.lifted.send_replace(true);
    }

    async fn in_order(&self) {
        let mut policies = self.policy.subscribe();
        let mut turns = self.turns.lock().await;
        loop {
            let policy = *policies.borrow_and_update();
            let Err(wait) = turns.take(policy) else {
                return;
            };
            tokio::select! {
                () = sleep(wait.max(Duration::from_millis(1))) => {}
                // Fails only when the sender is gone, which `self` holds.
                _ = policies.changed() => {}
            }
        }
    }
}

#[async_trait]
impl Pace for Governed {
    async fn turn(&self) {
        let mut lifted = self.lifted.subscribe();
        tokio::select! {
            () = self.in_order() => {}
            // Fails only when the sender is gone, which `self` holds.
            _ = lifted.wait_for(|lifted| *lifted) => {}
        }
    }

    fn set_rate(&self, policy: RatePolicy) {
        self.policy.send_replace(policy);
    }
}

impl Turns {
    /// Takes a turn, or says how long there is none.
    fn take(&mut self, policy: RatePolicy) -> Result<(), Duration> {
        if policy != self.policy {
            self.policy = policy;
            self.limiter = limiter(policy, self.last);
        }
        if let Some(limiter) = &self.limiter {
            let clock = limiter.clock();
            limiter
                .check()
                .map_err(|not_until| not_until.wait_time_from(clock.now()))?;
        }
        self.last = Some(Instant::now());
        Ok(())
    }
}

/// The limiter of a policy, if it needs one, as if it had given the last turn.
fn limiter(policy: RatePolicy, last: Option<Instant>) -> Option<Limiter> {
    let quota = policy.interval().and_then(Quota::with_period)?;
    let clock = TokioClock::standing_at(last);
    let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
    if last.is_some() {
        // Nobody has had a turn of it, so there is one.
        let _ = limiter.check();
    }
    clock.go();
    Some(limiter)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn turns_within(pace: &Governed, time: Duration) -> u32 {
        let mut turns = 0;
        let counting = async {
            loop {
                pace.turn().await;
                turns += 1;
            }
        };
        let _ = tokio::time::timeout(time, counting).await;
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn n_in_an_hour_means_n_in_any_hour() {
        const HOUR: Duration = Duration::from_secs(3600);
        for n in [1, 7, 60] {
            let pace = Governed::new(RatePolicy::per_hour(n));
            let mut turns = Vec::new();
            for _ in 0..4 * n {
                pace.turn().await;
                turns.push(Instant::now());
            }
            let n = n as usize;
            assert!(
                turns.windows(n + 1).all(|hour| hour[n] - hour[0] >= HOUR),
                "{n}: {turns:?}"
            );
            assert!(
                turns[n - 1] - turns[0] < HOUR,
                "{n}: fewer than {n} in the first hour"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_time_saves_no_turns_up() {
        let pace = Governed::new(RatePolicy::per_hour(60));
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        assert_eq!(turns_within(&pace, Duration::from_secs(59)).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        let pace = Governed::new(RatePolicy::per_hour(0));
        let start = Instant::now();
        for _ in 0..1000 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_takes_no_turn() {
        let pace = Governed::new(RatePolicy::per_hour(1));
        pace.turn().await;
        for _ in 0..10 {
            let _ = tokio::time::timeout(Duration::from_secs(1), pace.turn()).await;
        }
        let start = Instant::now();
        pace.turn().await;
        assert!(start.elapsed() <= Duration::from_secs(3600));
    }

    #[tokio::test(start_paused = true)]
    async fn lifting_lets_everybody_through() {
        let pace = Arc::new(Governed::new(RatePolicy::per_hour(1)));
        pace.turn().await;
        let waiting = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.turn().await }
        });
        tokio::task::yield_now().await;
        let start = Instant::now();
        pace.lift();
        waiting.await.unwrap();
        pace.turn().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_rate_counts_for_those_who_wait_and_from_the_last_turn_on() {
        let pace = Arc::new(Governed::new(RatePolicy::per_hour(1)));
        let start = Instant::now();
        pace.turn().await;
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..3)
            .map(|name| {
                let (pace, order) = (Arc::clone(&pace), Arc::clone(&order));
                tokio::spawn(async move {
                    pace.turn().await;
                    order
                        .lock()
                        .unwrap()
                        .push((name, start.elapsed().as_secs()));
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(10)).await;
        pace.set_rate(RatePolicy::per_hour(60));
        tokio::time::sleep(Duration::from_secs(60)).await;
        pace.set_rate(RatePolicy::per_hour(2));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(*order.lock().unwrap(), [(0, 60)]);
        pace.set_rate(RatePolicy::per_hour(0));
        for one in waiting {
            one.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [(0, 60), (1, 130), (2, 130)]);
    }
}
