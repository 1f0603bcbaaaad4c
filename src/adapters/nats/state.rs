//! What a replica knows: the stream, applied message by message, and what it works on itself.

mod alive;
mod ends;

use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use super::held::Held;
use super::leftover::Leftover;
use super::names::ReplicaId;
use super::names::partition;
use super::open::Open;
use super::open::number;
use super::pushed::Pushed;
use super::remembered::Remembered;
use super::seats::Change;
use super::seats::Move;
use super::seats::Seats;
use super::unwritten::Unwritten;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::lines::Lines;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventState;
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
    pub(super) remembered: Remembered,
    held: Held,
    pub(super) pushed: Pushed,
    pub(super) leftover: Leftover,
    /// The last message that was applied.
    applied: u64,
    /// Whether all that the stream held is applied, and more is as it comes.
    is_current: bool,
    /// Our last beat, as long as we have not read it ourselves.
    unheard: Option<Sent>,
    /// Until when nobody takes our partitions from us, as we were heard.
    safe_until: Option<Instant>,
    /// How long a replica may be silent.
    patience: Duration,
}

/// A beat of ours that the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Its number.
    pub(super) number: u64,
    /// Before it was sent.
    pub(super) at: Instant,
}

impl State {
    pub(super) fn new(me: ReplicaId, patience: Duration) -> Self {
        Self {
            seats: Seats::new(me, patience),
            open: Open::default(),
            unwritten: Unwritten::default(),
            lines: Lines::default(),
            remembered: Remembered::default(),
            held: Held::default(),
            pushed: Pushed::default(),
            leftover: Leftover::default(),
            applied: 0,
            is_current: false,
            unheard: None,
            safe_until: None,
            patience,
        }
    }

    /// Forgets what the stream said, for a stream that begins anew. Who works on something here finds that it is known no more.
    pub(super) fn reset(&mut self) {
        self.seats.reset();
        self.open = Open::default();
        self.unwritten = Unwritten::default();
        self.lines = Lines::default();
        self.held.clear();
        self.remembered = Remembered::default();
        self.leftover = Leftover::default();
        self.unheard = None;
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

    /// A delivery came in, here or elsewhere.
    pub(super) fn begin(&mut self, number: u64, record: DeliveryRecord) {
        let id = record.id.clone();
        self.follows(number, &record);
        let events = self.open.add(number, record);
        let mut superseded = Superseded::new();
        let placements = events.into_iter().map(|queued| {
            if self.seats.is_ours(partition(&queued.event.image)) {
                self.place(queued, &mut superseded)
            } else {
                Placement::Added
            }
        });
        let placements = placements.collect();
        self.settle(superseded.numbers);
        self.pushed.went(&id, placements);
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
    fn let_go(&mut self, seat: usize) {
        self.seats.let_go(seat);
        self.lines.withdraw(|image| partition(image) == seat);
    }

    /// The partitions that cannot be given away now: in which something is in work here, or is done and not written.
    pub(super) fn busy(&self) -> BTreeSet<usize> {
        let mut busy = self.unwritten.partitions();
        busy.append(&mut self.held.partitions());
        busy
    }

    /// What is to be done so that each replica has its share. What is to be given away is not worked on from now on.
    pub(super) fn moves(&mut self) -> Vec<Move> {
        let busy = self.busy();
        let moves = self.seats.wanted(|seat| busy.contains(&seat));
        for wanted in moves.iter().filter(|wanted| !wanted.is_taken) {
            self.let_go(wanted.partition);
        }
        moves
    }

    /// Whether nothing is in work here, and all is written.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.unwritten.is_empty()
    }

    /// What is in work here is not worked on any more, and not done.
    pub(super) fn give_up(&mut self) {
        self.held.clear();
    }

    /// Everything that waits for the image of ours that has waited longest, as long as it is certain that it is ours.
    pub(super) fn take(&mut self) -> Option<Batch> {
        if !self.is_safe() || self.seats.leaves() {
            return None;
        }
        let batch = self.lines.take()?;
        self.held.add(&batch);
        Some(batch)
    }

    /// Whether a batch that was taken some time ago is to be worked on here still. Where it is not, it is held no more: another replica works on it,
    /// or may do so. What is ours all the same waits again.
    pub(super) fn is_kept(&mut self, batch: &Batch) -> bool {
        let seat = partition(&batch.image);
        let is_ours = self.seats.is_ours(seat);
        let mut events = batch.events.iter();
        if self.is_safe() && is_ours && events.all(|queued| self.open.is_open(queued)) {
            return true;
        }
        self.lines.end(&self.held.remove(batch));
        if is_ours {
            // In the order of their numbers, in which the newest of a tag stays.
            self.lines.withdraw(|image| partition(image) == seat);
            self.fill(seat);
        }
        false
    }

    /// The work on a batch, or on a part of one, has ended here.
    pub(super) fn end(&mut self, batch: &Batch, fate: &Fate) {
        self.lines.end(&self.held.remove(batch));
        let state = ended(fate);
        let events = batch.events.iter();
        let ended = events.filter(|queued| self.open.end(queued, &state));
        let numbers = ended.map(|queued| number(queued.entry)).collect();
        self.settle(numbers);
    }

    /// How much is not done in our partitions.
    pub(super) fn load(&self) -> Load {
        Load {
            open: self.lines.open(),
            oldest: self.lines.oldest(),
        }
    }

    /// What is known here of a delivery that the server's note does not tell: something of it is open, or has ended and is not written.
    pub(super) fn unnoted(&self, id: &DeliveryId) -> Option<&DeliveryRecord> {
        self.open.named(id).or_else(|| self.unwritten.named(id))
    }

    /// The newest deliveries of which something is open, about to be written or noted, so many at the most, the newest first.
    pub(super) fn newest(&self, most: usize) -> Vec<DeliveryId> {
        let unnoted = self.open.ids().chain(self.unwritten.ids());
        self.remembered.newest(unnoted, most)
    }

    /// Lets everything of a partition wait that is not in work here.
    fn fill(&mut self, seat: usize) {
        let mut superseded = Superseded::new();
        for queued in self.open.of_partition(seat) {
            if !self.held.holds(&queued) {
                self.place(queued, &mut superseded);
            }
        }
        self.settle(superseded.numbers);
    }

    /// Lets an event wait. The number of the delivery of which it took the place of a part is added to those that are to be settled.
    fn place(&mut self, queued: QueuedEvent, superseded: &mut Superseded) -> Placement {
        let by = queued.delivery.clone();
        let before = self.lines.place(queued, None);
        if let Some(before) = &before {
            let state = EventState::ended(superseded.at, &Fate::Superseded(by));
            if self.open.end(before, &state) {
                superseded.numbers.insert(number(before.entry));
            }
        }
        Placement::instead_of(before)
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

/// The deliveries of which parts are superseded together, at one time: what has ended alike is told in short.
struct Superseded {
    at: SystemTime,
    numbers: BTreeSet<u64>,
}

impl Superseded {
    fn new() -> Self {
        Self {
            at: SystemTime::now(),
            numbers: BTreeSet::new(),
        }
    }
}

/// How an event has ended now.
fn ended(fate: &Fate) -> EventState {
    EventState::ended(SystemTime::now(), fate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::nats::names::PARTITIONS;
    use crate::adapters::nats::remembered::Kept;
    use crate::domain::event::ImageEvent;
    use crate::domain::queue::accepted::Accepted;
    use crate::domain::queue::record::Progress;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn state(me: &str) -> State {
        let mut state = State::new(ReplicaId::named(me), PATIENCE);
        state.set_safe(Instant::now() + PATIENCE);
        state.set_current(true);
        state
    }

    fn alone() -> State {
        let mut state = state("a");
        for seat in 0..PARTITIONS {
            assert_eq!(sit(&mut state, seat, Some("a")), Change::Ours);
        }
        state
    }

    fn sit(state: &mut State, seat: usize, replica: Option<&str>) -> Change {
        state.sit(seat, replica.map(ReplicaId::named), 1)
    }

    fn record(id: &str, tags: &[&str]) -> DeliveryRecord {
        let events = tags.iter().map(|tag| ImageEvent {
            image: ImageName::parse("quay.io/a/b").unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: None,
        });
        DeliveryRecord::new(&Accepted {
            delivery: DeliveryId::new(id),
            sender: "quay.io".to_owned(),
            key: None,
            at: SystemTime::UNIX_EPOCH,
            trace: None,
            events: events.collect(),
        })
    }

    fn seat() -> usize {
        partition(&ImageName::parse("quay.io/a/b").unwrap())
    }

    fn shown(batch: Option<Batch>) -> Vec<String> {
        let events = batch.into_iter().flat_map(|batch| batch.events);
        let text = |queued: QueuedEvent| format!("{} {}", queued.delivery, queued.event.tag);
        events.map(text).collect()
    }

    fn worked() -> Fate {
        Fate::Worked(Vec::new())
    }

    fn written(state: &mut State) -> Vec<(u64, Progress)> {
        let taken = state.unwritten.take(usize::MAX);
        state.unwritten.put_back(Vec::new());
        let taken = taken.into_iter();
        taken
            .map(|(number, record)| (number, record.progress()))
            .collect()
    }

    #[test]
    fn what_comes_in_is_worked_on_and_what_became_of_it_is_written_in_order() {
        let mut state = alone();
        state.begin(5, record("d1", &["1", "2"]));
        state.begin(7, record("d2", &["2"]));
        assert_eq!(
            written(&mut state),
            [(5, Progress::Open)],
            "a part is superseded"
        );
        let batch = state.take().unwrap();
        assert!(state.busy().contains(&seat()) && !state.is_idle());
        assert_eq!(shown(Some(batch.clone())), ["d1 1", "d2 2"]);
        state.end(&batch, &worked());
        assert_eq!(
            written(&mut state),
            [(5, Progress::Done), (7, Progress::Done)]
        );
        assert!(state.busy().is_empty() && state.is_idle());
        // A batch that is ended twice changes nothing.
        state.end(&batch, &worked());
        assert_eq!(written(&mut state), []);
    }

    #[test]
    fn what_has_ended_is_known_before_it_is_written() {
        let mut state = alone();
        let id = DeliveryId::new("d1");
        let progress = |state: &State| state.unnoted(&id).map(DeliveryRecord::progress);
        state.begin(5, record("d1", &["1"]));
        assert_eq!(progress(&state), Some(Progress::Open));
        let batch = state.take().unwrap();
        state.end(&batch, &worked());
        assert_eq!(progress(&state), Some(Progress::Done));
        state.unwritten.take(1);
        assert_eq!(progress(&state), Some(Progress::Done));
        assert_eq!(state.newest(9), std::slice::from_ref(&id));
        state.unwritten.put_back(Vec::new());
        assert_eq!((progress(&state), state.newest(9)), (None, Vec::new()));
    }

    #[test]
    fn only_what_is_ours_is_worked_on_as_long_as_we_are_heard() {
        let mut state = state("a");
        state.begin(5, record("d1", &["1"]));
        assert_eq!(state.take(), None);
        sit(&mut state, seat(), Some("b"));
        assert_eq!(state.take(), None);
        assert_eq!(sit(&mut state, seat(), Some("a")), Change::Ours);
        state.set_safe(Instant::now());
        assert_eq!(state.take(), None, "others may have it by now");
        state.set_safe(Instant::now() + PATIENCE);
        assert_eq!(shown(state.take()), ["d1 1"]);
        assert_eq!(state.take(), None);
    }

    #[test]
    fn a_partition_that_is_lost_and_won_again_gives_nothing_twice_that_is_in_work_here() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let batch = state.take().unwrap();
        state.begin(6, record("d2", &["2"]));
        assert_eq!(sit(&mut state, seat(), Some("b")), Change::Lost);
        assert_eq!(state.take(), None);
        sit(&mut state, seat(), Some("a"));
        assert_eq!(shown(state.take()), ["d2 2"]);
        state.end(&batch, &worked());
        assert_eq!(written(&mut state), [(5, Progress::Done)]);
    }

    #[test]
    fn what_is_about_to_be_given_away_is_not_begun_and_comes_back_where_nobody_else_takes_it() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        state.let_go(seat());
        state.begin(6, record("d2", &["2"]));
        assert_eq!(state.take(), None);
        assert_eq!(sit(&mut state, seat(), None), Change::Lost);
        assert_eq!(state.take(), None);
        assert_eq!(sit(&mut state, seat(), Some("a")), Change::Ours);
        assert_eq!(shown(state.take()), ["d1 1", "d2 2"]);
    }

    #[test]
    fn who_comes_back_after_a_long_silence_begins_nothing_before_all_is_said_again_and_heard() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let heard = |state: &mut State, seconds| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            state.seats.beat(ReplicaId::named("a"), at, seconds, false);
            state.set_safe(Instant::now() + PATIENCE);
        };
        heard(&mut state, 100);
        state.safe_until = None;
        heard(&mut state, 111);
        // Another one may be about to take it, as it was silent for 11 s.
        assert_eq!(state.take(), None);
        heard(&mut state, 113);
        assert_eq!(state.take(), None, "its word may be under way");
        for seat in 0..PARTITIONS {
            assert_eq!(sit(&mut state, seat, Some("a")), Change::Nothing);
        }
        heard(&mut state, 115);
        assert_eq!(shown(state.take()), ["d1 1"]);
    }

    #[test]
    fn a_beat_counts_from_when_it_was_sent_however_late_it_is_heard() {
        let mut state = alone();
        state.safe_until = None;
        state.begin(5, record("d1", &["1"]));
        let heard = |state: &mut State, number| {
            let at = SystemTime::UNIX_EPOCH;
            state.beat(ReplicaId::named("a"), at, number, false);
        };
        let sent = |number, at| Sent { number, at };
        let now = Instant::now();
        state.sent(sent(7, now));
        heard(&mut state, 6);
        assert_eq!((state.take(), state.unheard()), (None, Some(sent(7, now))));
        heard(&mut state, 7);
        assert_eq!(state.safe_until, Some(now + PATIENCE * 2 / 3));
        assert_eq!(state.unheard(), None);
        assert_eq!(shown(state.take()), ["d1 1"]);
        // The server's answer may come after it.
        heard(&mut state, 8);
        let later = now + Duration::from_secs(1);
        state.sent(sent(8, later));
        assert_eq!(state.safe_until, Some(later + PATIENCE * 2 / 3));
    }

    #[test]
    fn what_ended_elsewhere_is_not_worked_on_here() {
        let mut state = alone();
        state.begin(5, record("d1", &["1", "2"]));
        let mut note = record("d1", &["1", "2"]);
        note.events[0].state = ended(&worked());
        state.note(9, 5, &note);
        assert_eq!(shown(state.take()), ["d1 2"]);
        // Of another stream, or of another time.
        state.begin(6, record("d2", &["1", "2"]));
        state.note(10, 6, &note);
        note.events[1].state = ended(&worked());
        state.note(11, 6, &note);
        assert_eq!(state.leftover.due(Duration::ZERO, 9), [0; 0]);
        assert_eq!(shown(state.take()), ["d2 1", "d2 2"]);
    }

    #[test]
    fn what_others_ended_unheard_is_open_no_more_once_the_same_delivery_came_again() {
        let mut done = record("d1", &["1"]);
        done.events[0].state = ended(&worked());
        for is_done_again in [true, false] {
            let mut state = state("b");
            sit(&mut state, seat(), Some("a"));
            state.begin(40, record("d1", &["1"]));
            state.begin(41, record("d2", &["1"]));
            if is_done_again {
                state.note(95, 90, &done);
            } else {
                state.begin(90, record("d1", &["1"]));
            }
            assert_eq!(state.open.numbered(40), None);
            assert!(state.open.numbered(41).is_some());
            let is_open = state.open.named(&DeliveryId::new("d1")).is_some();
            assert_eq!(is_open, !is_done_again);
            sit(&mut state, seat(), Some("b"));
            let waits = if is_done_again { "d2 1" } else { "d1 1" };
            assert_eq!(shown(state.take()), [waits]);
        }
    }

    #[test]
    fn what_others_ended_unheard_is_open_no_more_once_it_is_missed() {
        let mut state = state("b");
        sit(&mut state, seat(), Some("a"));
        state.begin(40, record("d1", &["1"]));
        state.begin(41, record("d2", &["2"]));
        assert_eq!(state.foreign(40), [40]);
        state.miss(40);
        assert_eq!(state.foreign(41), [41]);
        sit(&mut state, seat(), Some("b"));
        assert_eq!(state.foreign(41), [0; 0]);
        state.miss(41);
        assert_eq!(shown(state.take()), ["d2 2"], "nobody else has ended it");
        let accepted = record("d3", &["3"]).again(SystemTime::UNIX_EPOCH);
        assert!(state.open.is_full_for(&accepted, 1) && !state.open.is_full_for(&accepted, 2));
    }

    #[test]
    fn what_waited_here_for_long_is_not_worked_on_where_another_one_has_it() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let batch = state.take().unwrap();
        assert!(state.is_kept(&batch) && !state.is_idle());
        sit(&mut state, seat(), Some("b"));
        assert!(!state.is_kept(&batch) && state.is_idle());
        // It comes back with what is newer.
        state.begin(6, record("d2", &["1"]));
        sit(&mut state, seat(), Some("a"));
        assert_eq!(shown(state.take()), ["d2 1"]);
        assert_eq!(written(&mut state), [(5, Progress::Done)]);
    }

    #[test]
    fn what_was_done_elsewhere_meanwhile_is_not_worked_on_here() {
        let mut state = alone();
        state.begin(5, record("d1", &["1", "2"]));
        let batch = state.take().unwrap();
        let mut note = record("d1", &["1", "2"]);
        note.events[0].state = ended(&worked());
        state.note(9, 5, &note);
        assert!(!state.is_kept(&batch));
        assert_eq!(shown(state.take()), ["d1 2"]);
    }

    #[test]
    fn who_may_have_lost_it_waits_until_that_is_certain() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let batch = state.take().unwrap();
        state.begin(6, record("d2", &["1", "2"]));
        state.set_safe(Instant::now());
        assert!(!state.is_kept(&batch));
        assert_eq!((state.take(), state.load().open), (None, 2));
        state.set_safe(Instant::now() + PATIENCE);
        let batch = state.take().unwrap();
        assert_eq!(shown(Some(batch.clone())), ["d2 1", "d2 2"]);
        assert!(state.is_kept(&batch));
        state.end(&batch, &worked());
        assert!(state.busy().contains(&seat()) && state.load().open == 0);
    }

    #[test]
    fn what_ends_of_an_earlier_stream_does_not_end_what_has_its_number_now() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let before = state.take().unwrap();
        state.reset();
        sit(&mut state, seat(), Some("a"));
        state.begin(5, record("d2", &["1"]));
        assert!(!state.is_kept(&before));
        let batch = state.take().unwrap();
        state.end(&before, &worked());
        assert_eq!(written(&mut state), []);
        assert!(state.is_kept(&batch));
        state.end(&batch, &worked());
        assert_eq!(written(&mut state), [(5, Progress::Done)]);
    }

    #[test]
    fn what_is_done_and_in_the_stream_still_is_taken_out() {
        // Whoever wrote the note may have ended just then, and that may be long ago.
        for is_current in [false, true] {
            let mut state = alone();
            state.set_current(is_current);
            state.begin(5, record("d1", &["1"]));
            let mut note = record("d1", &["1"]);
            note.events[0].state = ended(&worked());
            state.note(9, 5, &note);
            assert_eq!(state.take(), None);
            let due = |state: &State, wait| state.leftover.due(wait, 9);
            assert_eq!(due(&state, PATIENCE), [0; 0], "it is about to be");
            assert_eq!(due(&state, Duration::ZERO), [5]);
            // What became of it is known as long as it may be there.
            assert_eq!(state.surplus(Kept::Newest(0)).numbers, [0; 0]);
            state.leftover.remove(5);
            assert_eq!(due(&state, Duration::ZERO), [0; 0]);
            assert_eq!(state.surplus(Kept::Newest(0)).numbers, [9]);
            assert_eq!(state.newest(9), [DeliveryId::new("d1")]);
        }
    }

    #[test]
    fn a_note_that_tells_of_no_event_ends_all() {
        let mut state = alone();
        state.begin(5, record("d1", &["1", "2"]));
        state.begin(6, record("d2", &["3"]));
        state.note(9, 5, &record("d1", &[]));
        assert_eq!(state.open.numbered(5), None);
        assert_eq!(
            (shown(state.take()), state.load().open),
            (vec!["d2 3".to_owned()], 1)
        );
        assert_eq!(state.leftover.due(Duration::ZERO, 9), [5]);
    }

    #[test]
    fn what_became_of_a_part_is_known_until_the_rest_has_ended_and_is_written() {
        let mut state = alone();
        state.begin(5, record("d1", &["1", "2"]));
        let mut note = record("d1", &["1", "2"]);
        note.events[0].state = ended(&worked());
        state.note(9, 5, &note);
        let is_needed = |state: &State| state.surplus(Kept::Half).needed == Some(9);
        assert!(is_needed(&state) && !state.has_surplus(0));
        let batch = state.take().unwrap();
        state.end(&batch, &worked());
        assert!(is_needed(&state), "it is not written yet");
        assert_eq!(written(&mut state), [(5, Progress::Done)]);
        assert_eq!(state.surplus(Kept::Half).numbers, [9]);
        assert!(state.has_surplus(0) && !state.has_surplus(1));
    }

    #[test]
    fn a_stream_that_begins_anew_leaves_nothing_behind() {
        let mut state = alone();
        state.begin(5, record("d1", &["1"]));
        let batch = state.take().unwrap();
        state.begin(6, record("d2", &["1"]));
        state.has_applied(6);
        state.reset();
        assert_eq!((state.applied(), state.take()), (0, None));
        state.end(&batch, &worked());
        assert!(state.is_idle());
    }
}
