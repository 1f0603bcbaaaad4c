//! The lines in which events wait, one for each image.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::time::SystemTime;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::reference::ImageName;
use crate::domain::reference::Tag;

/// All that waits or is in work: for each image a line, in it each tag once. What is asked of it costs about the same however much waits.
#[derive(Debug, Default)]
pub struct Lines {
    /// Images of which something waits, the one that has waited longest first. Each is a key of `by_image`.
    order: VecDeque<ImageName>,
    /// The lines of images of which something waits or is in work.
    by_image: HashMap<ImageName, Line>,
    /// Tags that wait or are in work. One that is both counts once: who announces a tag that is in work must not be sent away.
    entries: usize,
    /// When each event came that waits or is in work.
    arrivals: BTreeMap<EntryId, SystemTime>,
    /// Deliveries of which something waits or is in work.
    open: HashMap<DeliveryId, Open>,
    /// Their senders' names for them.
    keys: HashMap<SenderKey, DeliveryId>,
}

/// What there is of one image.
#[derive(Debug, Default)]
struct Line {
    waiting: HashMap<Tag, QueuedEvent>,
    /// How many batches that are not done hold a tag.
    in_work: HashMap<Tag, usize>,
}

/// What there is of one delivery.
#[derive(Debug)]
struct Open {
    key: Option<SenderKey>,
    entries: usize,
}

impl Line {
    fn holds(&self, tag: &Tag) -> bool {
        self.in_work.contains_key(tag) || self.waiting.contains_key(tag)
    }

    /// Takes all that waits, the latest last.
    fn take(&mut self) -> Vec<QueuedEvent> {
        let mut events: Vec<_> = std::mem::take(&mut self.waiting).into_values().collect();
        events.sort_unstable_by_key(|queued| queued.entry);
        for queued in &events {
            *self.in_work.entry(queued.event.tag.clone()).or_default() += 1;
        }
        events
    }

    /// Ends the work of one batch on a tag. Says whether nothing is left of the tag.
    fn end(&mut self, tag: &Tag) -> bool {
        let Some(batches) = self.in_work.get_mut(tag) else {
            return false;
        };
        *batches -= 1;
        if *batches > 0 {
            return false;
        }
        self.in_work.remove(tag);
        !self.waiting.contains_key(tag)
    }
}

impl Lines {
    /// Whether a delivery finds no room, where so many entries are allowed and so many are about to be placed. What needs no new entry always has
    /// room, and what is empty takes a delivery of any size.
    #[must_use]
    pub fn is_full_for(&self, accepted: &Accepted, capacity: usize, coming: usize) -> bool {
        let new = accepted.events.iter();
        let new = new.filter(|event| {
            let line = self.by_image.get(&event.image);
            line.is_none_or(|line| !line.holds(&event.tag))
        });
        let (new, taken) = (new.count(), self.entries + coming);
        new > 0 && taken > 0 && taken + new > capacity
    }

    /// The delivery that its sender calls by the same name, where something of it waits or is in work.
    #[must_use]
    pub fn same_as(&self, key: &SenderKey) -> Option<&DeliveryId> {
        self.keys.get(key)
    }

    /// Whether something of a delivery waits or is in work.
    #[must_use]
    pub fn is_open(&self, delivery: &DeliveryId) -> bool {
        self.open.contains_key(delivery)
    }

    /// Lets an event wait, in the place of what waits for the same tag, which is given back. Later events have greater entries.
    pub fn place(&mut self, queued: QueuedEvent, key: Option<&SenderKey>) -> Option<QueuedEvent> {
        self.open_up(&queued, key);
        let line = self.by_image.entry(queued.event.image.clone()).or_default();
        if line.waiting.is_empty() {
            self.order.push_back(queued.event.image.clone());
        }
        match line.waiting.entry(queued.event.tag.clone()) {
            Entry::Occupied(mut waiting) => {
                let before = waiting.insert(queued);
                self.close(&before);
                Some(before)
            }
            Entry::Vacant(free) => {
                if !line.in_work.contains_key(free.key()) {
                    self.entries += 1;
                }
                free.insert(queued);
                None
            }
        }
    }

    /// Takes everything that waits for the image that has waited longest.
    pub fn take(&mut self) -> Option<Batch> {
        let image = self.order.pop_front()?;
        let events = self.by_image.get_mut(&image)?.take();
        Some(Batch { image, events })
    }

    /// Ends the work on a batch that was taken, or on a part of it.
    pub fn end(&mut self, batch: &Batch) {
        for queued in &batch.events {
            self.close(queued);
        }
        let Entry::Occupied(mut line) = self.by_image.entry(batch.image.clone()) else {
            return;
        };
        let tags = batch.events.iter().map(|queued| &queued.event.tag);
        self.entries -= tags.filter(|tag| line.get_mut().end(tag)).count();
        if line.get().in_work.is_empty() && line.get().waiting.is_empty() {
            line.remove();
        }
    }

    /// Takes out an event that waits and has ended without being taken here. Where it does not wait, nothing happens.
    pub fn remove(&mut self, queued: &QueuedEvent) {
        let (image, tag) = (&queued.event.image, &queued.event.tag);
        let Some(line) = self.by_image.get_mut(image) else {
            return;
        };
        let waiting = line.waiting.get(tag);
        if waiting.is_none_or(|waiting| waiting.entry != queued.entry) {
            return;
        }
        line.waiting.remove(tag);
        let (is_left, waits) = (line.holds(tag), !line.waiting.is_empty());
        let is_over = !waits && line.in_work.is_empty();
        self.entries -= usize::from(!is_left);
        if !waits {
            self.order.retain(|waiting| waiting != image);
        }
        if is_over {
            self.by_image.remove(image);
        }
        self.close(queued);
    }

    /// Takes out all that waits for images that are no longer worked on here. What is in work stays until it ends.
    pub fn withdraw(&mut self, is_meant: impl Fn(&ImageName) -> bool) {
        let meant: Vec<ImageName> = self
            .order
            .iter()
            .filter(|image| is_meant(image))
            .cloned()
            .collect();
        self.order.retain(|image| !is_meant(image));
        for image in meant {
            let Some(line) = self.by_image.get_mut(&image) else {
                continue;
            };
            let waiting = std::mem::take(&mut line.waiting);
            let gone = waiting
                .keys()
                .filter(|tag| !line.in_work.contains_key(*tag));
            self.entries -= gone.count();
            if line.in_work.is_empty() {
                self.by_image.remove(&image);
            }
            for queued in waiting.into_values() {
                self.close(&queued);
            }
        }
    }

    /// How many events wait or are in work.
    #[must_use]
    pub fn open(&self) -> usize {
        self.arrivals.len()
    }

    /// When the first of them came.
    #[must_use]
    pub fn oldest(&self) -> Option<SystemTime> {
        self.arrivals.values().next().copied()
    }

    fn open_up(&mut self, queued: &QueuedEvent, key: Option<&SenderKey>) {
        let delivery = &queued.delivery;
        self.arrivals.insert(queued.entry, queued.at);
        let open = self.open.entry(delivery.clone()).or_insert_with(|| Open {
            key: key.cloned(),
            entries: 0,
        });
        open.entries += 1;
        if let Some(key) = key {
            self.keys.insert(key.clone(), delivery.clone());
        }
    }

    fn close(&mut self, queued: &QueuedEvent) {
        let delivery = &queued.delivery;
        self.arrivals.remove(&queued.entry);
        let Entry::Occupied(mut open) = self.open.entry(delivery.clone()) else {
            return;
        };
        open.get_mut().entries -= 1;
        if open.get().entries > 0 {
            return;
        }
        let key = open.remove().key;
        if let Some(key) = key.filter(|key| self.keys.get(key) == Some(delivery)) {
            self.keys.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::ImageEvent;

    fn event(image: &str, tag: &str) -> ImageEvent {
        ImageEvent {
            image: ImageName::parse(image).unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: None,
        }
    }

    fn queued(entry: u64, delivery: &str, tag: &str) -> QueuedEvent {
        QueuedEvent {
            entry: EntryId(entry),
            event: event("quay.io/a/b", tag),
            delivery: DeliveryId::new(delivery),
            at: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(entry),
            trace: None,
        }
    }

    #[test]
    fn a_delivery_is_the_same_until_all_of_it_is_done() {
        let key = SenderKey::parse("k").unwrap();
        let mut lines = Lines::default();
        lines.place(queued(1, "d1", "1"), Some(&key));
        lines.place(queued(2, "d1", "2"), Some(&key));
        assert_eq!(lines.same_as(&key), Some(&DeliveryId::new("d1")));
        // A newer one takes the place of a part of it.
        let before = lines.place(queued(3, "d2", "2"), None).unwrap();
        assert_eq!(before, queued(2, "d1", "2"));
        assert!(lines.same_as(&key).is_some());
        let batch = lines.take().unwrap();
        assert_eq!(batch.events, [queued(1, "d1", "1"), queued(3, "d2", "2")]);
        assert!(lines.same_as(&key).is_some(), "it is in work");
        lines.end(&batch);
        assert_eq!(lines.same_as(&key), None);
        assert!(!lines.is_open(&DeliveryId::new("d1")));
        assert!(lines.by_image.is_empty() && lines.open.is_empty() && lines.entries == 0);
    }

    #[test]
    fn what_ended_elsewhere_waits_no_more() {
        let mut lines = Lines::default();
        lines.place(queued(1, "d1", "1"), None);
        lines.place(queued(2, "d1", "2"), None);
        lines.remove(&queued(9, "d1", "2"));
        assert_eq!(lines.open(), 2, "that one does not wait");
        lines.remove(&queued(1, "d1", "1"));
        let batch = lines.take().unwrap();
        assert_eq!(batch.events, [queued(2, "d1", "2")]);
        lines.place(queued(3, "d2", "2"), None);
        lines.remove(&queued(3, "d2", "2"));
        assert_eq!(lines.take(), None);
        assert_eq!(lines.entries, 1, "it is in work");
        lines.end(&batch);
        assert!(lines.by_image.is_empty() && lines.open.is_empty() && lines.entries == 0);
    }

    #[test]
    fn what_is_withdrawn_waits_no_more_and_what_is_in_work_stays() {
        let mut lines = Lines::default();
        lines.place(queued(1, "d1", "1"), None);
        let batch = lines.take().unwrap();
        lines.place(queued(2, "d2", "1"), None);
        lines.place(queued(3, "d2", "2"), None);
        let mut other = queued(4, "d3", "1");
        other.event = event("quay.io/a/c", "1");
        lines.place(other.clone(), None);
        lines.withdraw(|image| *image == batch.image);
        assert_eq!((lines.open(), lines.entries), (2, 2));
        assert_eq!(lines.take().unwrap().events, [other.clone()]);
        assert_eq!(lines.take(), None);
        lines.end(&batch);
        lines.end(&Batch {
            image: other.event.image.clone(),
            events: vec![other],
        });
        assert!(lines.by_image.is_empty() && lines.open.is_empty() && lines.entries == 0);
    }

    #[test]
    fn what_is_not_done_is_counted_and_the_oldest_known() {
        let mut lines = Lines::default();
        assert_eq!((lines.open(), lines.oldest()), (0, None));
        lines.place(queued(5, "d1", "1"), None);
        lines.place(queued(7, "d2", "2"), None);
        let oldest = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        assert_eq!((lines.open(), lines.oldest()), (2, Some(oldest)));
        let batch = lines.take().unwrap();
        assert_eq!(lines.open(), 2, "they are in work");
        lines.end(&batch);
        assert_eq!((lines.open(), lines.oldest()), (0, None));
    }
}
