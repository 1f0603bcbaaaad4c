//! What became of deliveries and is not said to the server yet.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use super::names::partition;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::record::DeliveryRecord;

/// Deliveries by number, in the order in which they are to be written: what took the place of another is written after it.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    order: VecDeque<u64>,
    records: HashMap<u64, DeliveryRecord>,
    /// Those that are being written.
    in_hand: Vec<(u64, DeliveryRecord)>,
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
        self.in_hand = taken.collect();
        self.in_hand.clone()
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
        let records = self.all().map(|(_, record)| record);
        records.flat_map(partitions).collect()
    }

    /// What is known of a delivery by that name that is not written.
    pub(super) fn named(&self, id: &DeliveryId) -> Option<&DeliveryRecord> {
        let of_that_name = self.all().filter(|(_, record)| record.id == *id);
        let latest = of_that_name.max_by_key(|(number, _)| *number);
        latest.map(|(_, record)| record)
    }

    /// The names of all that are not written.
    pub(super) fn ids(&self) -> impl Iterator<Item = &DeliveryId> {
        self.all().map(|(_, record)| &record.id)
    }

    /// What is being written, and then what waits, which knows more of the same number.
    fn all(&self) -> impl Iterator<Item = (u64, &DeliveryRecord)> {
        let in_hand = self
            .in_hand
            .iter()
            .map(|(number, record)| (*number, record));
        in_hand.chain(
            self.records
                .iter()
                .map(|(number, record)| (*number, record)),
        )
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
        let named = |unwritten: &Unwritten, id| unwritten.named(&DeliveryId::new(id)).is_some();
        assert!(named(&unwritten, "c") && !named(&unwritten, "a"));
        assert_eq!(
            unwritten.partitions(),
            BTreeSet::from([partition(&image())])
        );
        unwritten.put_back(Vec::new());
        assert!(unwritten.is_empty() && unwritten.partitions().is_empty());
        assert!(!named(&unwritten, "c"));
    }

    #[test]
    fn of_one_name_the_latest_is_known() {
        let open = |unwritten: &Unwritten| {
            let known = unwritten.named(&DeliveryId::new("a")).unwrap();
            known.events.len()
        };
        let with = |events| {
            let mut record = record("a");
            record.events = vec![record.events[0].clone(); events];
            record
        };
        let mut unwritten = Unwritten::default();
        unwritten.add(4, with(1));
        assert_eq!(open(&unwritten), 1);
        unwritten.take(1);
        unwritten.add(4, with(2));
        assert_eq!(open(&unwritten), 2, "more is known by now");
        unwritten.add(7, with(3));
        unwritten.add(5, with(4));
        assert_eq!(open(&unwritten), 3, "it was delivered again");
        assert_eq!(unwritten.ids().count(), 4);
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
