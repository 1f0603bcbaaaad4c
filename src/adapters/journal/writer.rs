//! The one who writes: a thread of its own, as a disk makes whoever asks it wait.
//!
//! What comes in while it writes is written together next, with one sync for all of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::disk::Disk;
use super::error::unavailable;
use super::form;
use super::order::Order;
use super::shelf::Shelf;
use super::staged::Answer;
use super::staged::Staged;
use super::staged::again;
use super::store::Kept;
use super::store::Rows;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// The most that is written in one go.
const TOGETHER: usize = 1000;
/// When a sender whose delivery was not kept may try again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long it may stay unwritten that an event has ended: most ends are written together with what comes next. Those that a crash takes
/// are worked on again, and nothing is left to do for them.
const LAG: Duration = Duration::from_millis(50);

pub(super) struct Writer {
    disk: Disk,
    shelf: Arc<Shelf>,
    capacity: usize,
    next: u64,
    /// The deliveries of which something waits or is in work, and those that have ended and are not on disk as such yet.
    open: Rows,
    /// Those of them that are not on disk as they are here, and since when.
    unwritten: HashSet<DeliveryId>,
    unwritten_since: Instant,
    staged: Vec<Staged>,
}

impl Writer {
    pub(super) fn new(disk: Disk, shelf: Arc<Shelf>, capacity: usize, kept: Kept) -> Self {
        Self {
            disk,
            shelf,
            capacity,
            next: kept.next,
            open: kept.open,
            unwritten: HashSet::new(),
            unwritten_since: Instant::now(),
            staged: Vec::new(),
        }
    }

    /// Works until nobody can ask any more, and writes what is left.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        while self.wait(orders) {
            self.gather(orders);
            if !self.staged.is_empty() || self.rest() == Some(Duration::ZERO) {
                self.commit();
            }
        }
        self.disk.hurry();
        self.commit();
    }

    /// Waits for something to do. Says whether there may be more.
    fn wait(&mut self, orders: &Receiver<Order>) -> bool {
        let order = match self.rest() {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(rest) => orders.recv_timeout(rest),
        };
        match order {
            Ok(order) => self.take(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// How long what is to be written may still wait for something to be written with; `None` where there is nothing.
    fn rest(&self) -> Option<Duration> {
        let is_written = self.unwritten.is_empty() && !self.disk.is_in_doubt();
        let rest = || {
            let lag = LAG.saturating_sub(self.unwritten_since.elapsed());
            self.disk.rest().unwrap_or(lag)
        };
        (!is_written).then(rest)
    }

    fn gather(&mut self, orders: &Receiver<Order>) {
        while self.staged.len() + self.unwritten.len() < TOGETHER {
            match orders.try_recv() {
                Ok(order) => self.take(order),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Push { accepted, answer } => self.stage(accepted, answer),
            Order::End { events, at, fate } => {
                for queued in &events {
                    self.end(queued, at, &fate);
                }
            }
            Order::Redeliver { id, answer } => self.begin_again(&id, answer),
            Order::Read(read) => {
                // It sees all that was asked for before.
                self.commit();
                read(self.disk.store(&self.open));
            }
        }
    }

    fn end(&mut self, queued: &QueuedEvent, at: SystemTime, fate: &Fate) {
        let Some(row) = self.open.get_mut(&queued.delivery) else {
            return;
        };
        form::end(row, queued, at, fate);
        if self.unwritten.is_empty() {
            self.unwritten_since = Instant::now();
        }
        self.unwritten.insert(queued.delivery.clone());
    }

    /// Makes ready what is to be kept of a delivery, if there is room for it and it is a new one.
    fn stage(&mut self, accepted: Accepted, answer: oneshot::Sender<Result<Pushed, QueueError>>) {
        let key = accepted.key.as_ref();
        let is_same = |staged: &Staged| key.is_some() && staged.accepted.key.as_ref() == key;
        if self.staged.iter().any(is_same) {
            // The first one is on disk before its copy is answered, or it is not there and this one takes its place.
            self.commit();
        }
        if let Some(same) = self.shelf.same_as(key) {
            let _ = answer.send(Ok(Pushed::Duplicate(same)));
            return;
        }
        if self.is_full_for(&accepted) && !self.staged.is_empty() {
            // Among what is about to be placed a tag may stand twice, or wait already.
            self.commit();
        }
        if self.is_full_for(&accepted) {
            let _ = answer.send(Err(QueueError::Full {
                retry_after: RETRY_AFTER,
            }));
            return;
        }
        let row = form::row(&accepted, self.next);
        self.add(accepted, row, None, Answer::Push(answer));
    }

    fn is_full_for(&self, accepted: &Accepted) -> bool {
        let coming = self.staged.iter().map(|staged| staged.entries.len()).sum();
        self.shelf.is_full_for(accepted, self.capacity, coming)
    }

    fn begin_again(
        &mut self,
        id: &DeliveryId,
        answer: oneshot::Sender<Result<Redelivery, LogError>>,
    ) {
        self.commit();
        let known = self
            .disk
            .store(&self.open)
            .and_then(|store| store.find(id).map_err(unavailable));
        let answered = match known.and_then(again) {
            Err(error) => Err(error),
            Ok(None) => Ok(Redelivery::Unknown),
            Ok(Some(_)) if self.shelf.is_open(id) => Ok(Redelivery::Open),
            Ok(Some((accepted, mut row))) => {
                let before = row.clone();
                form::begin_again(&mut row, self.next, accepted.at);
                return self.add(accepted, row, Some(before), Answer::Redeliver(answer));
            }
        };
        let _ = answer.send(answered);
    }

    fn add(
        &mut self,
        accepted: Accepted,
        row: RecordForm,
        before: Option<RecordForm>,
        answer: Answer,
    ) {
        let first = self.next;
        let entries: Vec<QueuedEvent> = (first..)
            .zip(&accepted.events)
            .map(|(number, event)| QueuedEvent {
                entry: EntryId(number),
                event: event.clone(),
                delivery: accepted.delivery.clone(),
                at: accepted.at,
                trace: accepted.trace.clone(),
            })
            .collect();
        self.next = entries.last().map_or(first, |last| last.entry.0 + 1);
        self.staged.push(Staged {
            accepted,
            row,
            before,
            entries,
            answer,
        });
    }

    /// Writes what is gathered, and answers those who wait for it.
    fn commit(&mut self) {
        if self.staged.is_empty() && self.unwritten.is_empty() && !self.disk.is_in_doubt() {
            return;
        }
        match self.write() {
            Ok(()) => {
                for written in std::mem::take(&mut self.unwritten) {
                    if self
                        .open
                        .get(&written)
                        .is_some_and(|row| !form::is_open(row))
                    {
                        self.open.remove(&written);
                    }
                }
                for staged in std::mem::take(&mut self.staged) {
                    self.shelve(staged);
                }
            }
            Err(reason) => {
                for staged in std::mem::take(&mut self.staged) {
                    staged.answer.refuse(&reason);
                }
            }
        }
    }

    fn write(&mut self) -> Result<(), String> {
        let ready = self.disk.store(&self.open).map(|_| ());
        ready.map_err(|LogError::Unavailable(reason)| reason)?;
        let unwritten = self.unwritten.iter().filter_map(|id| self.open.get(id));
        let rows = unwritten.chain(self.staged.iter().map(|staged| &staged.row));
        let written = self.disk.write(rows, &self.open);
        written.map_err(|error| {
            for staged in &self.staged {
                let id = staged.accepted.delivery.clone();
                self.disk.doubt(id, staged.before.clone());
            }
            error.to_string()
        })
    }

    /// Lets the events of a delivery that is on disk wait to be worked on.
    fn shelve(&mut self, staged: Staged) {
        let delivery = staged.accepted.delivery;
        self.open.insert(delivery.clone(), staged.row);
        let replaced = self
            .shelf
            .place(staged.entries, staged.accepted.key.as_ref());
        let placements = replaced.into_iter().map(|before| {
            if let Some(before) = &before {
                let fate = Fate::Superseded(delivery.clone());
                self.end(before, SystemTime::now(), &fate);
            }
            Placement::instead_of(before)
        });
        let placements = placements.collect();
        // Whoever does not wait any longer has got no answer, and sends again.
        match staged.answer {
            Answer::Push(answer) => _ = answer.send(Ok(Pushed::Queued(placements))),
            Answer::Redeliver(answer) => _ = answer.send(Ok(Redelivery::Queued)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc;

    use redb::StorageBackend;
    use redb::backends::InMemoryBackend;

    use super::super::store::Store;
    use super::*;
    use crate::domain::delivery::SenderKey;
    use crate::domain::event::ImageEvent;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;

    /// A disk that fails when it is told to, and counts syncs.
    #[derive(Debug, Default)]
    struct Backend {
        memory: InMemoryBackend,
        fails: Arc<AtomicBool>,
        syncs: Arc<AtomicUsize>,
    }

    impl StorageBackend for Backend {
        fn len(&self) -> io::Result<u64> {
            self.memory.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.memory.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.memory.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            self.memory.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            if self.fails.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.memory.write(offset, data)
        }
    }

    fn accepted(delivery: &str) -> Accepted {
        Accepted {
            delivery: DeliveryId::new(delivery),
            sender: "quay.io".to_owned(),
            key: SenderKey::parse("k"),
            at: SystemTime::UNIX_EPOCH,
            trace: None,
            events: vec![ImageEvent {
                image: ImageName::parse("quay.io/a/b").unwrap(),
                tag: Tag::parse("1").unwrap(),
                digest: None,
            }],
        }
    }

    #[test]
    fn a_copy_of_what_could_not_be_kept_is_no_copy() {
        for disk_fails in [false, true] {
            let disk = Backend::default();
            let fails = Arc::clone(&disk.fails);
            let store = Store::on(disk).unwrap();
            let reopen = || Store::on(InMemoryBackend::new());
            let shelf = Arc::new(Shelf::default());
            let disk = Disk::new(store, Box::new(reopen));
            let mut writer = Writer::new(disk, shelf, 10, Kept::default());
            let [(first, mut one), (copy, mut two)] = [oneshot::channel(), oneshot::channel()];
            writer.stage(accepted("d1"), first);
            fails.store(disk_fails, Ordering::SeqCst);
            writer.stage(accepted("d2"), copy);
            let kept = one.try_recv().unwrap();
            assert_eq!(kept.is_err(), disk_fails, "{kept:?}");
            if disk_fails {
                assert!(two.try_recv().is_err(), "it waits to be kept itself");
                assert_eq!(writer.staged.len(), 1);
            } else {
                let same = Pushed::Duplicate(DeliveryId::new("d1"));
                assert_eq!(two.try_recv().unwrap(), Ok(same));
            }
        }
    }

    /// A delivery of one tag that goes into a queue with room for so many.
    fn gathered<'d>(
        capacity: usize,
        deliveries: impl IntoIterator<Item = (&'d str, &'d str)>,
    ) -> Vec<bool> {
        let store = Store::on(InMemoryBackend::new()).unwrap();
        let disk = Disk::new(store, Box::new(|| Store::on(InMemoryBackend::new())));
        let mut writer = Writer::new(disk, Arc::default(), capacity, Kept::default());
        let push = |(delivery, tags): (&str, &str)| {
            let (answer, answered) = oneshot::channel();
            let mut accepted = accepted(delivery);
            accepted.key = None;
            let event = accepted.events.remove(0);
            accepted.events = tags
                .split(' ')
                .map(|tag| ImageEvent {
                    tag: Tag::parse(tag).unwrap(),
                    ..event.clone()
                })
                .collect();
            writer.stage(accepted, answer);
            answered
        };
        let answers: Vec<_> = deliveries.into_iter().map(push).collect();
        writer.commit();
        let answers = answers.into_iter();
        answers
            .map(|mut answered| answered.try_recv().unwrap().is_ok())
            .collect()
    }

    #[test]
    fn the_bound_holds_for_what_comes_in_together() {
        let answers = gathered(2, [("d1", "1"), ("d2", "2"), ("d3", "3")]);
        assert_eq!(answers, [true, true, false]);
        // One of any size has room where nothing is, and nothing beside it.
        let answers = gathered(2, [("d1", "1 2 3"), ("d2", "4"), ("d3", "2")]);
        assert_eq!(answers, [true, false, true]);
    }

    #[test]
    fn a_tag_that_two_announce_together_needs_room_once() {
        let answers = gathered(
            2,
            [
                ("d1", "1"),
                ("d2", "2"),
                ("d3", "2"),
                ("d4", "1 2"),
                ("d5", "3"),
            ],
        );
        assert_eq!(answers, [true, true, true, true, false]);
    }

    #[test]
    fn an_end_is_written_though_nothing_comes_after_it() {
        let disk = Backend::default();
        let syncs = Arc::clone(&disk.syncs);
        let store = Store::on(disk).unwrap();
        let reopen = || Store::on(InMemoryBackend::new());
        let shelf = Arc::new(Shelf::default());
        let disk = Disk::new(store, Box::new(reopen));
        let writer = Writer::new(disk, Arc::clone(&shelf), 10, Kept::default());
        let (orders, ordered) = mpsc::channel();
        let thread = std::thread::spawn(move || writer.run(&ordered));
        let (answer, answered) = oneshot::channel();
        let push = Order::Push {
            accepted: accepted("d1"),
            answer,
        };
        assert!(orders.send(push).is_ok());
        answered.blocking_recv().unwrap().unwrap();
        let before = syncs.load(Ordering::SeqCst);
        let end = Order::End {
            events: form::waiting(&form::row(&accepted("d1"), 1)).unwrap(),
            at: SystemTime::UNIX_EPOCH,
            fate: Fate::Worked(Vec::new()),
        };
        assert!(orders.send(end).is_ok());
        let sent = Instant::now();
        while syncs.load(Ordering::SeqCst) == before {
            assert!(sent.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        assert!(sent.elapsed() >= LAG / 2, "it does not wait for company");
        drop(orders);
        thread.join().unwrap();
    }
}
