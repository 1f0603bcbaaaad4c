//! A cache of so many bytes, in which nothing gets older than a time.

use std::hash::Hash;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

/// How much room a key or a value takes.
pub(super) trait Weight {
    /// In bytes, about.
    fn weight(&self) -> usize;
}

/// What was learned.
pub(super) struct Kept<K, V> {
    cache: Cache<K, (Instant, V), ByWeight>,
    time: Duration,
}

#[derive(Clone)]
struct ByWeight;

impl<K: Weight, V: Weight> Weighter<K, (Instant, V)> for ByWeight {
    fn weight(&self, key: &K, value: &(Instant, V)) -> u64 {
        // What keys share, and the cache's own room for an entry.
        const ENTRY: u64 = 150;
        ENTRY + (key.weight() + value.1.weight()) as u64
    }
}

impl<K: Eq + Hash + Weight, V: Weight + Clone> Kept<K, V> {
    /// Room for so many bytes, each value for such a time.
    pub(super) fn new(bytes: u64, time: Duration) -> Self {
        const USUAL: u64 = 500;
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        Self {
            cache: Cache::with_weighter(items, bytes, ByWeight),
            time,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let (since, value) = self.cache.get(key)?;
        (since.elapsed() < self.time).then_some(value)
    }

    pub(super) fn put(&self, key: K, value: V) {
        self.cache.insert(key, (Instant::now(), value));
    }

    pub(super) fn remove(&self, key: &K) {
        self.cache.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Bytes(usize);

    impl Weight for Bytes {
        fn weight(&self) -> usize {
            self.0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_not_given() {
        let kept = Kept::new(1 << 20, Duration::from_secs(60));
        let a = "a".to_owned();
        kept.put(a.clone(), Bytes(1));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(kept.get(&a), Some(Bytes(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(kept.get(&a), None);
    }

    #[test]
    fn what_is_too_much_is_thrown_out() {
        let kept = Kept::new(1 << 20, Duration::from_secs(60));
        let key = |number: u32| number.to_string();
        for number in 0..10_000 {
            kept.put(key(number), Bytes(1000));
        }
        let held = (0..10_000).filter(|number| kept.get(&key(*number)).is_some());
        let held = held.count();
        assert!((100..=1000).contains(&held), "{held}");
    }

    #[test]
    fn a_long_key_takes_its_room_too() {
        let kept = Kept::new(1 << 20, Duration::from_secs(60));
        let key = |number: u32| format!("{number:01000}");
        for number in 0..10_000 {
            kept.put(key(number), Bytes(1));
        }
        let held = (0..10_000).filter(|number| kept.get(&key(*number)).is_some());
        assert!((100..=1000).contains(&held.count()));
    }
}
