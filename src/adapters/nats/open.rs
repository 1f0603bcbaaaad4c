//! The deliveries of which something waits or is in work, wherever that is.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::names::partition;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventState;
use crate::domain::queue::record::Progress;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;

/// How many bits of an entry's number say which event of its delivery it is. More events than that do not fit into a message.
const PLACE_BITS: u32 = 20;

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Open {
    records: BTreeMap<u64, DeliveryRecord>,
    ids: HashMap<DeliveryId, u64>,
    keys: HashMap<SenderKey, u64>,
    /// How many open events there are of each tag.
    tags: HashMap<(ImageName, Tag), usize>,
}

/// The entry of an event of a delivery.
fn entry(number: u64, place: usize) -> EntryId {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    EntryId(number << PLACE_BITS | place)
}

/// The delivery of an entry, and which of its events that is.
fn place(entry: EntryId) -> (u64, usize) {
    let place = entry.0 & ((1 << PLACE_BITS) - 1);
    (
        entry.0 >> PLACE_BITS,
        usize::try_from(place).unwrap_or(usize::MAX),
    )
}

/// The number of the delivery that an entry belongs to.
pub(super) fn number(entry: EntryId) -> u64 {
    place(entry).0
}

fn is_open(state: &EventState) -> bool {
    matches!(state, EventState::Open)
}

/// The events of a delivery that are open.
fn queued(number: u64, record: &DeliveryRecord) -> impl Iterator<Item = QueuedEvent> {
    let events = record.events.iter().enumerate();
    let open = events.filter(|(_, known)| is_open(&known.state));
    open.map(move |(place, known)| QueuedEvent {
        entry: entry(number, place),
        event: known.event.clone(),
        delivery: record.id.clone(),
        at: record.at,
        trace: record.trace.clone(),
    })
}

impl Open {
    /// Adds a delivery, and gives its events. Nothing where it is there already.
    pub(super) fn add(&mut self, number: u64, record: DeliveryRecord) -> Vec<QueuedEvent> {
        if self.records.contains_key(&number) {
            return Vec::new();
        }
        let events: Vec<QueuedEvent> = queued(number, &record).collect();
        for queued in &events {
            *self.tags.entry(name(queued)).or_default() += 1;
        }
        self.ids.insert(record.id.clone(), number);
        if let Some(key) = record.key.clone() {
            self.keys.insert(key, number);
        }
        self.records.insert(number, record);
        events
    }

    /// Whether an event has not ended. One of a stream that was there before is not known, though its number may be another one's by now.
    pub(super) fn is_open(&self, queued: &QueuedEvent) -> bool {
        let (number, place) = place(queued.entry);
        let record = self.records.get(&number);
        let record = record.filter(|record| record.id == queued.delivery);
        let known = record.and_then(|record| record.events.get(place));
        known.is_some_and(|known| is_open(&known.state))
    }

    /// Notes that an event has ended; does nothing where that is known. Says whether it is news.
    pub(super) fn end(&mut self, queued: &QueuedEvent, state: &EventState) -> bool {
        if !self.is_open(queued) {
            return false;
        }
        let (number, place) = place(queued.entry);
        let record = self.records.get_mut(&number);
        let Some(known) = record.and_then(|record| record.events.get_mut(place)) else {
            return false;
        };
        known.state = state.clone();
        self.count_down(&name(queued));
        true
    }

    /// One event less is open of a tag.
    fn count_down(&mut self, tag: &(ImageName, Tag)) {
        if let Some(count) = self.tags.get_mut(tag) {
            *count -= 1;
            if *count == 0 {
                self.tags.remove(tag);
            }
        }
    }

    /// A delivery with what became of it. Where all of it has ended, it is forgotten here.
    pub(super) fn settle(&mut self, number: u64) -> Option<DeliveryRecord> {
        let record = self.records.get(&number)?;
        if record.progress() == Progress::Open {
            return Some(record.clone());
        }
        self.forget(number)
    }

    /// Forgets a delivery, whatever is open of it.
    pub(super) fn forget(&mut self, number: u64) -> Option<DeliveryRecord> {
        let record = self.records.remove(&number)?;
        for queued in queued(number, &record) {
            self.count_down(&name(&queued));
        }
        if self.ids.get(&record.id) == Some(&number) {
            self.ids.remove(&record.id);
        }
        if let Some(key) = record.key.as_ref()
            && self.keys.get(key) == Some(&number)
        {
            self.keys.remove(key);
        }
        Some(record)
    }

    /// What a note says that is not known yet: entries, with how they ended.
    pub(super) fn news<'n>(
        &self,
        number: u64,
        note: &'n DeliveryRecord,
    ) -> Vec<(QueuedEvent, &'n EventState)> {
        // Where the stream was made anew, the number is another delivery's.
        let record = self.records.get(&number);
        let Some(record) = record.filter(|record| record.id == note.id) else {
            return Vec::new();
        };
        let ended = |queued: QueuedEvent| {
            let known = note.events.get(place(queued.entry).1)?;
            (!is_open(&known.state)).then_some((queued, &known.state))
        };
        queued(number, record).filter_map(ended).collect()
    }

    /// The earlier deliveries that have the same name as this one: it has their place in the stream.
    pub(super) fn earlier(&self, number: u64, record: &DeliveryRecord) -> Vec<u64> {
        let key = record.key.as_ref();
        let same = [
            self.ids.get(&record.id),
            key.and_then(|key| self.keys.get(key)),
        ];
        let same = same.into_iter().flatten().copied();
        same.filter(|same| *same < number).collect()
    }

    /// What is open of a delivery.
    pub(super) fn of_delivery(&self, number: u64) -> impl Iterator<Item = QueuedEvent> {
        let record = self.records.get(&number);
        record
            .into_iter()
            .flat_map(move |record| queued(number, record))
    }

    /// The numbers of all up to one.
    pub(super) fn up_to(&self, number: u64) -> impl Iterator<Item = u64> {
        self.records.range(..=number).map(|(number, _)| *number)
    }

    /// All open events of a partition, the oldest first.
    pub(super) fn of_partition(&self, wanted: usize) -> Vec<QueuedEvent> {
        let records = self.records.iter();
        let events = records.flat_map(|(number, record)| queued(*number, record));
        events
            .filter(|queued| partition(&queued.event.image) == wanted)
            .collect()
    }

    /// Whether a delivery finds no room, where so many tags are allowed. What needs no new one always has room, and what is empty takes a delivery of
    /// any size.
    pub(super) fn is_full_for(&self, accepted: &Accepted, capacity: usize) -> bool {
        let new = accepted.events.iter();
        let new = new.filter(|event| {
            let tag = (event.image.clone(), event.tag.clone());
            !self.tags.contains_key(&tag)
        });
        let new = new.count();
        new > 0 && !self.tags.is_empty() && self.tags.len() + new > capacity
    }

    /// The delivery that its sender calls by the same name, with its number.
    pub(super) fn same_as(&self, key: &SenderKey) -> Option<(u64, &DeliveryId)> {
        let number = self.keys.get(key)?;
        self.records.get(number).map(|record| (*number, &record.id))
    }

    /// A delivery by its number.
    pub(super) fn numbered(&self, number: u64) -> Option<&DeliveryRecord> {
        self.records.get(&number)
    }

    /// A delivery by our name for it.
    pub(super) fn named(&self, id: &DeliveryId) -> Option<&DeliveryRecord> {
        self.records.get(self.ids.get(id)?)
    }

    /// The names of all.
    pub(super) fn ids(&self) -> impl Iterator<Item = &DeliveryId> {
        self.ids.keys()
    }
}

fn name(queued: &QueuedEvent) -> (ImageName, Tag) {
    (queued.event.image.clone(), queued.event.tag.clone())
}
