//! Who works on which partition. Every replica sees the same, as all of it is said in one stream.
//!
//! A replica says that it is alive by a beat, and takes a partition that is free or belongs to one that beats no more. Time is that of the server,
//! at which it got a beat: clocks of replicas do not matter.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;

use super::names::PARTITIONS;
use super::names::ReplicaId;

/// How many beats there are before a replica that makes none counts as dead.
pub(super) const BEATS: u32 = 5;

/// A time of the server.
pub(super) type ServerTime = std::time::SystemTime;

/// All partitions and replicas.
#[derive(Debug)]
pub(super) struct Seats {
    me: ReplicaId,
    /// How long a replica may be silent.
    patience: Duration,
    partitions: Vec<Seat>,
    beats: HashMap<ReplicaId, Beat>,
    /// Since when our beats come without a gap.
    since: Option<ServerTime>,
    /// When our last one came.
    last: Option<ServerTime>,
    /// Whether it came so late that others may have taken our partitions just before it.
    is_late: bool,
    /// Our partitions as it came, until it is certain of each that nobody did. A word of others by which they take one may be under way for long: it is
    /// refused once we have said again that it is ours.
    doubtful: BTreeSet<usize>,
    /// Whether we take nothing any more and give away what we have.
    leaves: bool,
}

#[derive(Debug, Clone, Default)]
struct Seat {
    replica: Option<ReplicaId>,
    /// The number of the message that says so; 0: there is none.
    number: u64,
    /// Whether we are about to give it away.
    leaving: bool,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    at: ServerTime,
    number: u64,
    leaves: bool,
}

/// What a replica wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    /// The partition.
    pub(super) partition: usize,
    /// Whether it is taken, or else given away.
    pub(super) is_taken: bool,
    /// The number of the message that this is an answer to; 0: there is none.
    pub(super) after: u64,
}

/// What a message changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The partition is ours now.
    Ours,
    /// It is ours no more.
    Lost,
    /// It is somebody else's matter.
    Nothing,
}

impl Seats {
    pub(super) fn new(me: ReplicaId, patience: Duration) -> Self {
        Self {
            me,
            patience,
            partitions: vec![Seat::default(); PARTITIONS],
            beats: HashMap::new(),
            since: None,
            last: None,
            is_late: false,
            doubtful: BTreeSet::new(),
            leaves: false,
        }
    }

    /// Forgets what the stream said, for a stream that begins anew.
    pub(super) fn reset(&mut self) {
        let leaves = self.leaves;
        *self = Self::new(self.me.clone(), self.patience);
        self.leaves = leaves;
    }

    /// Takes nothing any more.
    pub(super) fn leave(&mut self) {
        self.leaves = true;
    }

    pub(super) fn leaves(&self) -> bool {
        self.leaves
    }

    /// A replica was alive at a time. Says whether that changes anybody's share.
    pub(super) fn beat(
        &mut self,
        replica: ReplicaId,
        at: ServerTime,
        number: u64,
        leaves: bool,
    ) -> bool {
        self.turn_back(at);
        if replica == self.me {
            let gap = self.last.map(|last| since(last, at));
            // Not only where we were silent: the server's clock may have been set forward, which makes all others look silent.
            if gap.is_none_or(|gap| gap > 3 * self.patience / BEATS) {
                self.since = Some(at);
            }
            self.is_late = gap.is_some_and(|gap| gap > self.patience);
            self.last = Some(at);
            if self.is_late {
                self.doubtful = (0..PARTITIONS).filter(|one| self.is_ours(*one)).collect();
            }
        }
        let beat = Beat { at, number, leaves };
        let before = self.beats.insert(replica, beat);
        before.is_none_or(|before| before.leaves != leaves)
    }

    /// Where the server's clock was set back, or another server counts with one that is behind, what was heard before was heard just now. Else who
    /// is dead would count as alive until the clock is where it was.
    fn turn_back(&mut self, now: ServerTime) {
        for beat in self.beats.values_mut() {
            beat.at = beat.at.min(now);
        }
        self.since = self.since.map(|since| since.min(now));
        self.last = self.last.map(|last| last.min(now));
    }

    /// The number of our last beat; `None`: none was heard.
    pub(super) fn heard(&self) -> Option<u64> {
        self.beats.get(&self.me).map(|beat| beat.number)
    }

    /// Whether our last beat came so late that somebody may have taken what was ours without knowing of it, or one did before it and that is not
    /// cleared up yet.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_late || !self.doubtful.is_empty()
    }

    /// Somebody took a partition, or gave it away.
    pub(super) fn sit(
        &mut self,
        partition: usize,
        replica: Option<ReplicaId>,
        number: u64,
    ) -> Change {
        let Some(seat) = self.partitions.get_mut(partition) else {
            return Change::Nothing;
        };
        self.doubtful.remove(&partition);
        let was_ours = seat.replica.as_ref() == Some(&self.me);
        let is_ours = replica.as_ref() == Some(&self.me);
        *seat = Seat {
            replica,
            number,
            leaving: false,
        };
        match (was_ours, is_ours) {
            (false, true) => Change::Ours,
            (true, false) => Change::Lost,
            (true, true) | (false, false) => Change::Nothing,
        }
    }

    /// Whether we may work on a partition.
    pub(super) fn is_ours(&self, partition: usize) -> bool {
        let seat = self.partitions.get(partition);
        seat.is_some_and(|seat| seat.replica.as_ref() == Some(&self.me) && !seat.leaving)
    }

    /// Whether nobody else may work on a partition.
    pub(super) fn has(&self, partition: usize) -> bool {
        let seat = self.partitions.get(partition);
        seat.is_some_and(|seat| seat.replica.as_ref() == Some(&self.me))
    }

    /// How many partitions are ours.
    pub(super) fn ours(&self) -> usize {
        let seats = self.partitions.iter();
        seats
            .filter(|seat| seat.replica.as_ref() == Some(&self.me))
            .count()
    }

    /// Notes that we are about to give a partition away.
    pub(super) fn let_go(&mut self, partition: usize) {
        if let Some(seat) = self.partitions.get_mut(partition) {
            seat.leaving = true;
        }
    }

    /// What is to be done so that each replica has its share. Partitions in which something is in work stay.
    pub(super) fn wanted(&self, is_busy: impl Fn(usize) -> bool) -> Vec<Move> {
        let share = if self.leaves {
            0
        } else {
            PARTITIONS.div_ceil(self.members())
        };
        let first = self.me.first_partition();
        let around = (first..PARTITIONS).chain(0..first);
        let seats =
            around.filter_map(|partition| Some((partition, self.partitions.get(partition)?)));
        let seats: Vec<(usize, &Seat)> = seats.collect();
        let moves = |is_taken, wanted: &dyn Fn(usize, &Seat) -> bool| -> Vec<Move> {
            let wanted = seats
                .iter()
                .filter(|(partition, seat)| wanted(*partition, seat));
            let moves = wanted.map(|(partition, seat)| Move {
                partition: *partition,
                is_taken,
                after: seat.number,
            });
            moves.collect()
        };
        // Where it was said already and not heard, it is said again: that word may be under way still, so it is too late to stay.
        let leaving = moves(false, &|_, seat| seat.leaving);
        let again = moves(true, &|partition, seat| {
            self.doubtful.contains(&partition) && !seat.leaving
        });
        let kept = self.ours() - leaving.len();
        let more = if kept < share {
            moves(true, &|_, seat| self.is_free(seat))
        } else {
            moves(false, &|partition, _| {
                self.is_ours(partition)
                    && !is_busy(partition)
                    && !self.doubtful.contains(&partition)
            })
        };
        let more = more.into_iter().take(kept.abs_diff(share));
        leaving.into_iter().chain(again).chain(more).collect()
    }

    /// The numbers of beats that can be forgotten: of replicas that are dead for long and have nothing.
    pub(super) fn forgotten(&self) -> Vec<u64> {
        let Some(now) = self.last else {
            return Vec::new();
        };
        let long = self.patience * 10;
        let dead = self.beats.iter().filter(|(replica, beat)| {
            let has = |seat: &Seat| seat.replica.as_ref() == Some(*replica);
            since(beat.at, now) > long && !self.partitions.iter().any(has)
        });
        dead.map(|(_, beat)| beat.number).collect()
    }

    /// Forgets a beat.
    pub(super) fn forget(&mut self, number: u64) {
        self.beats.retain(|_, beat| beat.number != number);
    }

    /// How many replicas share the work, we among them.
    fn members(&self) -> usize {
        let others = self.beats.iter().filter(|(replica, beat)| {
            **replica != self.me && !beat.leaves && !self.is_dead(replica)
        });
        1 + others.count()
    }

    fn is_free(&self, seat: &Seat) -> bool {
        match &seat.replica {
            Some(replica) => *replica != self.me && self.is_dead(replica),
            None => true,
        }
    }

    /// Whether a replica is silent for too long. After a time in which we could not be heard either, it first gets the chance to be heard again.
    fn is_dead(&self, replica: &ReplicaId) -> bool {
        let (Some(begun), Some(now)) = (self.since, self.last) else {
            return false;
        };
        let chance = 2 * self.patience / BEATS;
        let is_silent = self
            .beats
            .get(replica)
            .is_none_or(|beat| since(beat.at, now) > self.patience);
        is_silent && since(begun, now) >= chance
    }
}

fn since(before: ServerTime, now: ServerTime) -> Duration {
    now.duration_since(before).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> ServerTime {
        ServerTime::UNIX_EPOCH + Duration::from_secs(1000 + seconds)
    }

    fn replica(name: &str) -> ReplicaId {
        ReplicaId::named(name)
    }

    fn seats(me: &str) -> Seats {
        Seats::new(replica(me), PATIENCE)
    }

    /// Carries out what is wanted, as the server would, for all who look on.
    fn settle(me: &str, moves: &[Move], all: &mut [&mut Seats], number: u64) {
        for seats in all {
            for wanted in moves {
                let replica = wanted.is_taken.then(|| replica(me));
                seats.sit(wanted.partition, replica, number);
            }
        }
    }

    #[test]
    fn one_alone_takes_all_and_shares_with_a_second_one() {
        let (mut a, mut b) = (seats("a"), seats("b"));
        a.beat(replica("a"), at(0), 1, false);
        let all = a.wanted(|_| false);
        assert_eq!(all.len(), PARTITIONS);
        assert!(
            all.iter()
                .all(|wanted| wanted.is_taken && wanted.after == 0)
        );
        settle("a", &all, &mut [&mut a, &mut b], 2);
        assert_eq!((a.ours(), a.wanted(|_| false)), (PARTITIONS, Vec::new()));

        for seats in [&mut a, &mut b] {
            seats.beat(replica("a"), at(0), 1, false);
            seats.beat(replica("b"), at(1), 3, false);
        }
        assert_eq!(b.wanted(|_| false), [], "all is taken");
        assert_eq!(a.wanted(|_| true), [], "all is in work");
        let left = a.wanted(|partition| partition < 4);
        assert_eq!(left.len(), 16);
        assert!(
            left.iter()
                .all(|wanted| !wanted.is_taken && wanted.partition >= 4)
        );
        settle("a", &left, &mut [&mut a, &mut b], 4);
        let taken = b.wanted(|_| false);
        assert_eq!(taken.len(), 16);
        assert!(
            taken
                .iter()
                .all(|wanted| wanted.is_taken && wanted.after == 4)
        );
        settle("b", &taken, &mut [&mut a, &mut b], 5);
        assert_eq!((a.ours(), b.ours()), (16, 16));
        assert!(a.wanted(|_| false).is_empty() && b.wanted(|_| false).is_empty());
    }

    #[test]
    fn what_a_silent_one_had_is_taken_over() {
        let mut b = seats("b");
        b.beat(replica("a"), at(0), 1, false);
        b.sit(3, Some(replica("a")), 2);
        for second in [1, 5, 9] {
            b.beat(replica("b"), at(second), 3 + second, false);
        }
        let has =
            |b: &Seats, wanted: usize| b.wanted(|_| false).iter().any(|m| m.partition == wanted);
        assert!(!has(&b, 3), "it was heard 9 s ago");
        b.beat(replica("b"), at(11), 14, false);
        assert!(has(&b, 3));
        b.beat(replica("a"), at(12), 15, false);
        assert!(!has(&b, 3), "it is alive after all");
    }

    #[test]
    fn after_a_silence_of_all_each_gets_the_chance_to_be_heard() {
        let mut b = seats("b");
        b.beat(replica("a"), at(0), 1, false);
        b.beat(replica("b"), at(0), 2, false);
        b.sit(3, Some(replica("a")), 3);
        // The server was away for a minute.
        b.beat(replica("b"), at(60), 4, false);
        let has = |b: &Seats| b.wanted(|_| false).iter().any(|m| m.partition == 3);
        assert!(!has(&b));
        b.beat(replica("b"), at(62), 5, false);
        assert!(!has(&b));
        b.beat(replica("b"), at(64), 6, false);
        assert!(has(&b));
    }

    #[test]
    fn who_leaves_gives_all_away_and_has_no_share() {
        let (mut a, mut b) = (seats("a"), seats("b"));
        for seats in [&mut a, &mut b] {
            seats.beat(replica("a"), at(0), 1, false);
            seats.beat(replica("b"), at(0), 2, false);
            for partition in 0..16 {
                seats.sit(partition, Some(replica("a")), 3);
            }
            for partition in 16..32 {
                seats.sit(partition, Some(replica("b")), 3);
            }
        }
        a.leave();
        b.beat(replica("a"), at(1), 4, true);
        let left = a.wanted(|partition| partition == 0);
        assert_eq!(left.len(), 15);
        settle("a", &left, &mut [&mut a, &mut b], 5);
        assert_eq!(b.wanted(|_| false).len(), 15);
        assert!(a.is_ours(0) && !a.is_ours(1));
    }

    #[test]
    fn what_is_about_to_be_given_away_is_not_worked_on() {
        let mut a = seats("a");
        assert_eq!(a.sit(3, Some(replica("a")), 1), Change::Ours);
        a.let_go(3);
        assert!(!a.is_ours(3));
        let given = Move {
            partition: 3,
            is_taken: false,
            after: 1,
        };
        for _ in 0..2 {
            let moves = a.wanted(|_| true);
            assert!(moves.contains(&given), "it is said until it is heard");
            let taken = moves.iter().filter(|wanted| wanted.is_taken);
            assert_eq!(taken.count(), PARTITIONS - 1);
        }
        assert_eq!(a.sit(3, None, 2), Change::Lost);
        assert!(!a.wanted(|_| true).contains(&given));
    }

    #[test]
    fn who_is_dead_is_so_after_the_clock_was_set_back() {
        let mut b = seats("b");
        b.beat(replica("a"), at(1000), 1, false);
        b.sit(3, Some(replica("a")), 2);
        b.beat(replica("b"), at(1000), 3, false);
        let has = |b: &Seats| b.wanted(|_| false).iter().any(|m| m.partition == 3);
        for (second, is_free) in [(0, false), (4, false), (8, false), (11, true)] {
            b.beat(replica("b"), at(second), 4 + second, false);
            assert_eq!(has(&b), is_free, "after {second} s");
        }
    }

    #[test]
    fn nobody_is_dead_as_the_clock_was_set_forward() {
        let mut b = seats("b");
        b.beat(replica("b"), at(0), 1, false);
        b.beat(replica("a"), at(2), 2, false);
        b.sit(3, Some(replica("a")), 3);
        b.beat(replica("b"), at(4), 4, false);
        // Two seconds later, by a clock that jumped by eight.
        b.beat(replica("b"), at(4 + 2 + 8), 5, false);
        assert!(!b.wanted(|_| false).iter().any(|m| m.partition == 3));
        assert!(!b.is_doubtful());
    }

    #[test]
    fn who_was_silent_for_too_long_knows_it() {
        let mut a = seats("a");
        assert_eq!(a.heard(), None);
        for (second, is_late) in [(0, false), (10, false), (21, true), (23, false)] {
            a.beat(replica("a"), at(second), second + 1, false);
            assert_eq!((a.heard(), a.is_doubtful()), (Some(second + 1), is_late));
        }
        a.reset();
        assert_eq!((a.heard(), a.is_doubtful()), (None, false));
    }

    #[test]
    fn who_was_silent_for_too_long_says_again_what_is_its_own() {
        let mut a = seats("a");
        a.beat(replica("a"), at(0), 1, false);
        for partition in [3, 4, 5] {
            a.sit(partition, Some(replica("a")), 2);
        }
        a.let_go(5);
        a.beat(replica("a"), at(11), 3, false);
        let again = |a: &Seats| {
            let moves = a.wanted(|_| false);
            let again = moves
                .iter()
                .filter(|wanted| wanted.is_taken && wanted.after > 0);
            again
                .map(|wanted| (wanted.partition, wanted.after))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            again(&a).into_iter().collect::<BTreeSet<_>>(),
            [(3, 2), (4, 2)].into()
        );
        a.beat(replica("a"), at(13), 4, false);
        assert!(a.is_doubtful(), "it is not heard");
        assert_eq!(a.sit(3, Some(replica("a")), 5), Change::Nothing);
        assert_eq!(again(&a), [(4, 2)]);
        assert_eq!(
            a.sit(4, Some(replica("b")), 6),
            Change::Lost,
            "it was faster"
        );
        assert_eq!(again(&a), []);
        // What is about to be given away is not worked on anyway.
        assert!(!a.is_doubtful());
    }

    #[test]
    fn a_beat_of_one_that_is_long_dead_is_forgotten() {
        let mut a = seats("a");
        a.beat(replica("b"), at(0), 1, false);
        a.beat(replica("c"), at(0), 2, false);
        a.sit(3, Some(replica("c")), 3);
        a.beat(replica("a"), at(101), 4, false);
        assert_eq!(a.forgotten(), [1], "the other has a partition still");
        a.forget(1);
        assert!(a.forgotten().is_empty());
    }
}
