//! Durations, counted in buckets of at most an eighth of their value.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Buckets for each power of two.
const EACH: usize = 8;
/// Enough for all microseconds that 32 bits can count.
const BUCKETS: usize = 30 * EACH;

/// How often something took how long. Its size does not depend on how often that was.
pub(crate) struct Histogram {
    buckets: Vec<AtomicU64>,
    most: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            most: AtomicU64::new(0),
        }
    }

    pub(crate) fn add(&self, duration: Duration) {
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        self.buckets[bucket(micros)].fetch_add(1, Relaxed);
        self.most.fetch_max(micros.into(), Relaxed);
    }

    /// A value that so many in a thousand do not exceed.
    pub(crate) fn permille(&self, permille: u64) -> Duration {
        let all: u64 = self.buckets.iter().map(|count| count.load(Relaxed)).sum();
        let mut left = (all * permille).div_ceil(1000);
        for (bucket, count) in self.buckets.iter().enumerate() {
            let count = count.load(Relaxed);
            if count >= left {
                return Duration::from_micros(ceiling(bucket)).min(self.most());
            }
            left -= count;
        }
        self.most()
    }

    pub(crate) fn most(&self) -> Duration {
        Duration::from_micros(self.most.load(Relaxed))
    }
}

/// Where a value is counted: by its highest bit, and the three below that.
fn bucket(micros: u32) -> usize {
    if micros < 8 {
        return micros as usize;
    }
    let power = micros.ilog2();
    (power as usize - 2) * EACH + (micros >> (power - 3)) as usize % EACH
}

/// The first value that is too great for a bucket.
fn ceiling(bucket: usize) -> u64 {
    if bucket < EACH {
        return bucket as u64 + 1;
    }
    ((bucket % EACH + EACH + 1) as u64) << (bucket / EACH - 1)
}
