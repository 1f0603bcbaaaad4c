//! What has ended of deliveries, by the word of others or without it, and which words are to stay.

use super::State;
use crate::adapters::nats::names::partition;
use crate::adapters::nats::remembered::Kept;
use crate::adapters::nats::remembered::Surplus;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::Progress;

impl State {
    /// Somebody has said what became of a delivery, in a message of that number.
    pub(in crate::adapters::nats) fn note(
        &mut self,
        message: u64,
        number: u64,
        note: &DeliveryRecord,
    ) {
        self.remembered.add(note.id.clone(), message);
        self.follows(number, note);
        // Where the stream was made anew, the number is another delivery's.
        let is_open = self
            .open
            .numbered(number)
            .is_some_and(|record| record.id == note.id);
        for (queued, state) in self.open.news(number, note) {
            self.open.end(&queued, state);
            self.lines.remove(&queued);
        }
        if is_open {
            // What ended here meanwhile is about to be written.
            self.open.settle(number);
        }
        if is_open && note.progress() != Progress::Open {
            // A note that had to be short does not say it of each event.
            let rest: Vec<QueuedEvent> = self.open.of_delivery(number).collect();
            for queued in &rest {
                self.lines.remove(queued);
            }
            self.open.forget(number);
            self.leftover.add(number, note.id.clone());
        }
    }

    /// A delivery was in the stream at the place of those of the same name before it.
    pub(super) fn follows(&mut self, number: u64, record: &DeliveryRecord) {
        for earlier in self.open.earlier(number, record) {
            self.miss(earlier);
        }
    }

    /// Deliveries up to that number of which others may have ended all without our hearing of it.
    pub(in crate::adapters::nats) fn foreign(&self, last: u64) -> Vec<u64> {
        let numbers = self.open.up_to(last);
        numbers.filter(|number| self.is_foreign(*number)).collect()
    }

    /// A delivery is not in the stream any more. Where nothing of it is ours, others have ended it, and their word was lost to us. What is ours nobody
    /// else has ended: there somebody has emptied the stream, and it is worked on all the same.
    pub(in crate::adapters::nats) fn miss(&mut self, number: u64) {
        if self.is_foreign(number) {
            self.open.forget(number);
        }
    }

    /// Whether nothing that is open of a delivery is ours.
    pub(in crate::adapters::nats) fn is_foreign(&self, number: u64) -> bool {
        let mut events = self.open.of_delivery(number);
        !events.any(|queued| self.seats.has(partition(&queued.event.image)))
    }

    /// The oldest notes but for so many. Whoever reads a delivery in the stream needs the note of what is done of it.
    pub(in crate::adapters::nats) fn surplus(&self, but: Kept) -> Surplus {
        self.remembered.surplus(but, &self.in_stream().collect())
    }

    /// Whether there are certainly more notes than so many besides those that are needed. It is asked often.
    pub(in crate::adapters::nats) fn has_surplus(&self, but: usize) -> bool {
        let notes = self.remembered.len();
        let needed = || self.in_stream().filter(|id| self.remembered.knows(id));
        notes > but && notes > but + needed().count()
    }

    /// The names of deliveries that are in the stream, or may be.
    fn in_stream(&self) -> impl Iterator<Item = &DeliveryId> {
        let open = self.open.ids().chain(self.unwritten.ids());
        open.chain(self.leftover.ids())
    }
}
