//! What became of deliveries and is not said to the server yet.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use super::names::partition;
use crate::domain::queue::record::DeliveryRecord;

/// Deliveries by number, in the order in which they are to be written: what took the place of another is written after it.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    order: VecDeque<u64>,
    records: HashMap<u64, DeliveryRecord>,
    /// The partitions of those that are being written, as often as there are events.
    in_hand: Vec<usize>,
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
        self.in_hand = taken
            .iter()
            .flat_map(|(_, record)| partitions(record))
            .collect();
        taken
    }

    /// Gives back what could not be written. What is known by now of the same deliveries is written in their place.
    pub(super) fn put_back(&mut self, failed: Vec<(u64, DeliveryRecord)>) {
        if self.in_hand.is_empty() {
            // All was forgotten meanwhile, for a stream that begins anew: there the numbers are those of other deliveries.
            return;
        }
        self.in_hand.clear();
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
        self.order.is_empty() && self.in_hand.is_empty()
    }

    /// The partitions in which something is not written.
    pub(super) fn partitions(&self) -> BTreeSet<usize> {
        let waiting = self.records.values().flat_map(partitions);
        waiting.chain(self.in_hand.iter().copied()).collect()
    }
}

fn partitions(record: &DeliveryRecord) -> impl Iterator<Item = usize> {
    let events = record.events.iter();
    events.map(|known| partition(&known.event.image))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::event::ImageEvent;
    use crate::domain::queue::record::EventRecord;
    use crate::domain::queue::record::EventState;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;

    fn image() -> ImageName {
        ImageName::parse("quay.io/a/b").unwrap()
    }

    fn record(id: &str) -> DeliveryRecord {
        DeliveryRecord {
            id: DeliveryId::new(id),
            sender: String::new(),
            key: None,
            at: SystemTime::UNIX_EPOCH,
            trace: None,
            events: vec![EventRecord {
                event: ImageEvent {
                    image: image(),
                    tag: Tag::parse("1").unwrap(),
                    digest: None,
                },
                state: EventState::Open,
            }],
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
        assert_eq!(
            unwritten.partitions(),
            BTreeSet::from([partition(&image())])
        );
        unwritten.put_back(Vec::new());
        assert!(unwritten.is_empty() && unwritten.partitions().is_empty());
    }

    #[test]
    fn what_is_in_hand_does_not_come_back_after_all_was_forgotten() {
        let mut unwritten = Unwritten::default();
        unwritten.add(1, record("a"));
        let taken = unwritten.take(9);
        unwritten = Unwritten::default();
        unwritten.put_back(taken);
        assert!(unwritten.is_empty() && unwritten.take(9).is_empty());
    }
}
