//! Deliveries that are done, and may be in the stream still.

use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

use crate::domain::delivery::DeliveryId;

/// By number. Whoever writes the last note of a delivery takes it out of the stream, unless it ends just then: so each looks after it a while later.
#[derive(Debug, Default)]
pub(super) struct Leftover(BTreeMap<u64, Done>);

#[derive(Debug)]
struct Done {
    id: DeliveryId,
    /// When we heard of it.
    since: Instant,
}

impl Leftover {
    /// This one is done.
    pub(super) fn add(&mut self, number: u64, id: DeliveryId) {
        let since = Instant::now();
        self.0.entry(number).or_insert(Done { id, since });
    }

    /// Those that were done so long ago that they should not be there any more, so many at the most.
    pub(super) fn due(&self, wait: Duration, most: usize) -> Vec<u64> {
        let due = self
            .0
            .iter()
            .filter(|(_, done)| done.since.elapsed() >= wait);
        due.map(|(number, _)| *number).take(most).collect()
    }

    /// This one is not in the stream.
    pub(super) fn remove(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// The names of all.
    pub(super) fn ids(&self) -> impl Iterator<Item = &DeliveryId> {
        self.0.values().map(|done| &done.id)
    }
}
