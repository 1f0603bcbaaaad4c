//! How long to wait before something is tried again.

use std::time::Duration;

use backon::BackoffBuilder;
use backon::ExponentialBackoff;
use backon::ExponentialBuilder;

const FIRST: Duration = Duration::from_millis(200);

/// Waits that double from one to the next. Chance makes each longer, by up to as much again, so that many replicas do not ask at once.
pub(super) struct Retry {
    longest: Duration,
    waits: ExponentialBackoff,
}

impl Retry {
    /// Begins with the shortest wait; without chance the longest is as long as this.
    pub(super) fn new(longest: Duration) -> Self {
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST)
            .with_max_delay(longest)
            .without_max_times()
            .with_jitter()
            .build();
        Self { longest, waits }
    }

    /// Waits, each time longer.
    pub(super) async fn wait(&mut self) {
        let wait = self.waits.next().unwrap_or(self.longest);
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_up_to_a_bound() {
        let longest = Duration::from_secs(5);
        let mut retry = Retry::new(longest);
        let mut shortest = FIRST;
        for _ in 0..100 {
            let before = Instant::now();
            retry.wait().await;
            let waited = before.elapsed();
            // The clock counts in milliseconds.
            let most = shortest * 2 + Duration::from_millis(1);
            assert!(waited >= shortest && waited <= most, "{waited:?}");
            shortest = (shortest * 2).min(longest);
        }
    }
}
