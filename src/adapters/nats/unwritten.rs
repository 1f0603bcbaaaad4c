//! What became of deliveries and is not said to the server yet.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::domain::queue::record::DeliveryRecord;

/// Deliveries by number, in the order in which they are to be written: what took the place of another is written after it.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    order: VecDeque<u64>,
    records: HashMap<u64, DeliveryRecord>,
    /// How many are being written.
    in_hand: usize,
}

impl Unwritten {
    /// Adds a delivery, or what is known of it by now.
    pub(super) fn add(&mut self, number: u64, record: DeliveryRecord) {
        if self.records.insert(number, record).is_none() {
            self.order.push_back(number);
        }
    }

    /// Takes the first ones to write them.
    pub(super) fn take(&mut self, most: usize) -> Vec<(u64, DeliveryRecord)> {
        let numbers = self.order.drain(..most.min(self.order.len()));
        let records = &mut self.records;
        let taken = numbers.filter_map(|number| Some((number, records.remove(&number)?)));
        let taken: Vec<_> = taken.collect();
        self.in_hand = taken.len();
        taken
    }

    /// Gives back what could not be written. What is known by now of the same deliveries is written in their place.
    pub(super) fn put_back(&mut self, failed: Vec<(u64, DeliveryRecord)>) {
        self.in_hand = 0;
        for (number, record) in failed.into_iter().rev() {
            match self.records.get(&number) {
                Some(_) => self.order.retain(|known| *known != number),
                None => _ = self.records.insert(number, record),
            }
            self.order.push_front(number);
        }
    }

    /// Whether all is written.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.in_hand == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::delivery::DeliveryId;

    fn record(id: &str) -> DeliveryRecord {
        DeliveryRecord {
            id: DeliveryId::new(id),
            sender: String::new(),
            key: None,
            at: SystemTime::UNIX_EPOCH,
            events: Vec::new(),
        }
    }

    fn ids(taken: &[(u64, DeliveryRecord)]) -> Vec<&str> {
        taken.iter().map(|(_, record)| record.id.as_str()).collect()
    }

    #[test]
    fn the_order_stays_and_the_latest_is_written() {
        let mut unwritten = Unwritten::default();
        unwritten.add(1, record("a"));
        unwritten.add(2, record("b"));
        unwritten.add(1, record("a, later"));
        unwritten.add(3, record("c"));
        let taken = unwritten.take(2);
        assert_eq!(ids(&taken), ["a, later", "b"]);
        unwritten.add(2, record("b, later"));
        unwritten.put_back(taken);
        assert_eq!(ids(&unwritten.take(9)), ["a, later", "b, later", "c"]);
        assert!(!unwritten.is_empty(), "they are in hand");
        unwritten.put_back(Vec::new());
        assert!(unwritten.is_empty());
    }
}
