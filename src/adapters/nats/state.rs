//! What a replica knows: the stream, applied message by message, and what it works on itself.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use super::names::ReplicaId;
use super::names::partition;
use super::open::Open;
use super::open::number;
use super::seats::Change;
use super::seats::Seats;
use super::unwritten::Unwritten;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::lines::Lines;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventState;
use crate::domain::queue::record::Progress;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Placement;

/// All that a replica knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) seats: Seats,
    pub(super) open: Open,
    pub(super) unwritten: Unwritten,
    /// What waits in our partitions.
    lines: Lines,
    /// What is in work here, with its partition. It stays when the partition is lost, until the work ends.
    held: HashMap<EntryId, usize>,
    /// Where the events of deliveries went that are being pushed here.
    pushed: HashMap<DeliveryId, Option<Vec<Placement>>>,
    /// The deliveries of which there is a note.
    noted: BTreeSet<DeliveryId>,
    /// Deliveries that are done and may be in the stream still.
    leftover: Vec<u64>,
    /// The last message that was applied.
    applied: u64,
    /// Whether all that the stream held is applied, and more is as it comes.
    is_current: bool,
    /// Until when nobody takes our partitions from us, as we were heard.
    safe_until: Option<Instant>,
}

impl State {
    pub(super) fn new(me: ReplicaId, patience: Duration) -> Self {
        Self {
            seats: Seats::new(me, patience),
            open: Open::default(),
            unwritten: Unwritten::default(),
            lines: Lines::default(),
            held: HashMap::new(),
            pushed: HashMap::new(),
            noted: BTreeSet::new(),
            leftover: Vec::new(),
            applied: 0,
            is_current: false,
            safe_until: None,
        }
    }

    /// Forgets what the stream said, for a stream that begins anew. Who works on something here finds that it is known no more.
    pub(super) fn reset(&mut self) {
        self.seats.reset();
        self.open = Open::default();
        self.unwritten = Unwritten::default();
        self.lines = Lines::default();
        self.held.clear();
        self.noted.clear();
        self.leftover.clear();
        self.applied = 0;
        self.is_current = false;
    }

    /// The last message that was applied.
    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    /// Notes that a message is applied.
    pub(super) fn has_applied(&mut self, number: u64) {
        self.applied = self.applied.max(number);
    }

    pub(super) fn is_current(&self) -> bool {
        self.is_current
    }

    pub(super) fn set_current(&mut self, is_current: bool) {
        self.is_current = is_current;
    }

    /// Nobody takes our partitions before that.
    pub(super) fn set_safe(&mut self, until: Instant) {
        self.safe_until = Some(until);
    }

    /// A delivery came in, here or elsewhere.
    pub(super) fn begin(&mut self, number: u64, record: DeliveryRecord) {
        let id = record.id.clone();
        let events = self.open.add(number, record);
        let mut superseded = BTreeSet::new();
        let placements = events.into_iter().map(|queued| {
            if self.seats.is_ours(partition(&queued.event.image)) {
                self.place(queued, &mut superseded)
            } else {
                Placement::Added
            }
        });
        let placements = placements.collect();
        self.settle(superseded);
        if let Some(pushed) = self.pushed.get_mut(&id) {
            *pushed = Some(placements);
        }
    }

    /// Somebody has said what became of a delivery.
    pub(super) fn note(&mut self, number: u64, note: &DeliveryRecord) {
        self.noted.insert(note.id.clone());
        let is_open = self.open.numbered(number).is_some();
        for (queued, state) in self.open.news(number, note) {
            self.open.end(queued.entry, state);
            self.lines.remove(&queued);
        }
        if is_open {
            // What ended here meanwhile is about to be written.
            self.open.settle(number);
        }
        // Whoever said so takes it out of the stream, unless it ended just then.
        if is_open && !self.is_current && note.progress() != Progress::Open {
            self.leftover.push(number);
        }
    }

    /// Somebody took a partition, or gave it away.
    pub(super) fn sit(&mut self, seat: usize, replica: Option<ReplicaId>, number: u64) -> Change {
        let change = self.seats.sit(seat, replica, number);
        match change {
            Change::Ours => self.fill(seat),
            Change::Lost => self.lines.withdraw(|image| partition(image) == seat),
            Change::Nothing => {}
        }
        change
    }

    /// Works on nothing more of a partition, which is about to be given away.
    pub(super) fn let_go(&mut self, seat: usize) {
        self.seats.set_leaving(seat, true);
        self.lines.withdraw(|image| partition(image) == seat);
    }

    /// Works on a partition after all.
    pub(super) fn keep(&mut self, seat: usize) {
        self.seats.set_leaving(seat, false);
        if self.seats.is_ours(seat) {
            self.fill(seat);
        }
    }

    /// Whether a partition cannot be given away now.
    pub(super) fn is_busy(&self, seat: usize) -> bool {
        !self.unwritten.is_empty() || self.held.values().any(|held| *held == seat)
    }

    /// Whether nothing is in work here, and all is written.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.unwritten.is_empty()
    }

    /// Everything that waits for the image of ours that has waited longest, as long as it is certain that it is ours.
    pub(super) fn take(&mut self) -> Option<Batch> {
        let is_safe = self.safe_until.is_some_and(|until| Instant::now() < until);
        if !is_safe || self.seats.leaves() {
            return None;
        }
        let batch = self.lines.take()?;
        let seat = partition(&batch.image);
        let entries = batch.events.iter().map(|queued| (queued.entry, seat));
        self.held.extend(entries);
        Some(batch)
    }

    /// The work on a batch, or on a part of one, has ended here.
    pub(super) fn end(&mut self, batch: &Batch, fate: &Fate) {
        let events = batch.events.iter();
        let held = events.filter(|queued| self.held.remove(&queued.entry).is_some());
        let held = Batch {
            image: batch.image.clone(),
            events: held.cloned().collect(),
        };
        self.lines.end(&held);
        let state = ended(fate);
        let events = batch.events.iter();
        let ended = events.filter(|queued| self.open.end(queued.entry, &state));
        let numbers = ended.map(|queued| number(queued.entry)).collect();
        self.settle(numbers);
    }

    /// How much waits in our partitions.
    pub(super) fn load(&self) -> Load {
        Load {
            waiting: self.lines.waiting(),
            oldest: self.lines.oldest(),
        }
    }

    /// Wants to know where the events of a delivery go.
    pub(super) fn expect(&mut self, accepted: &Accepted) {
        self.pushed.insert(accepted.delivery.clone(), None);
    }

    /// Where they went, once that is known; it is told once.
    pub(super) fn placements(&mut self, id: &DeliveryId) -> Option<Vec<Placement>> {
        self.pushed.remove(id).flatten()
    }

    /// The newest deliveries of which something is open or noted, so many at the most, the newest first.
    pub(super) fn newest(&self, most: usize) -> Vec<DeliveryId> {
        let open: BTreeSet<&DeliveryId> = self.open.ids().collect();
        let mut all: Vec<&DeliveryId> = self.noted.iter().rev().take(most).collect();
        all.extend(open.into_iter().rev().take(most));
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.dedup();
        all.into_iter().take(most).cloned().collect()
    }

    /// Forgets the names of the oldest deliveries that are noted, but for so many. Says whether there were more.
    pub(super) fn forget_noted(&mut self, but: usize) -> bool {
        let is_more = self.noted.len() > but;
        while self.noted.len() > but {
            self.noted.pop_first();
        }
        is_more
    }

    /// Takes the numbers of deliveries that are done and may be in the stream still.
    pub(super) fn leftover(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.leftover)
    }

    /// Lets everything of a partition wait that is not in work here.
    fn fill(&mut self, seat: usize) {
        let mut superseded = BTreeSet::new();
        for queued in self.open.of_partition(seat) {
            if !self.held.contains_key(&queued.entry) {
                self.place(queued, &mut superseded);
            }
        }
        self.settle(superseded);
    }

    /// Lets an event wait. The number of the delivery of which it took the place of a part is added to those that are to be settled.
    fn place(&mut self, queued: QueuedEvent, superseded: &mut BTreeSet<u64>) -> Placement {
        let by = queued.delivery.clone();
        match self.lines.place(queued, None) {
            None => Placement::Added,
            Some(before) => {
                let state = ended(&Fate::Superseded(by));
                if self.open.end(before.entry, &state) {
                    superseded.insert(number(before.entry));
                }
                Placement::Replaced {
                    superseded: before.delivery,
                }
            }
        }
    }

    /// Has it written what became of deliveries, and forgets those of which all has ended.
    fn settle(&mut self, numbers: BTreeSet<u64>) {
        for number in numbers {
            if let Some(record) = self.open.settle(number) {
                self.unwritten.add(number, record);
            }
        }
    }
}

/// How an event has ended now.
fn ended(fate: &Fate) -> EventState {
    EventState::ended(SystemTime::now(), fate)
}
