//! Who works on which partition. Every replica sees the same, as all of it is said in one stream.
//!
//! A replica says that it is alive by a beat, and takes a partition that is free or belongs to one that beats no more. Time is that of the server,
//! at which it got a beat: clocks of replicas do not matter.

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
        if replica == self.me {
            let gap = self.last.map(|last| since(last, at));
            if gap.is_none_or(|gap| gap > self.patience) {
                self.since = Some(at);
            }
            self.last = Some(at);
        }
        let beat = Beat { at, number, leaves };
        let before = self.beats.insert(replica, beat);
        before.is_none_or(|before| before.leaves != leaves)
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

    /// How many partitions are ours.
    pub(super) fn ours(&self) -> usize {
        let seats = self.partitions.iter();
        seats
            .filter(|seat| seat.replica.as_ref() == Some(&self.me))
            .count()
    }

    /// The partitions of ours that are about to be given away.
    pub(super) fn leaving(&self) -> Vec<usize> {
        let seats = self.partitions.iter().enumerate();
        let leaving = seats.filter(|(_, seat)| seat.leaving);
        leaving.map(|(partition, _)| partition).collect()
    }

    /// Notes that we are about to give a partition away, or that this did not come about.
    pub(super) fn set_leaving(&mut self, partition: usize, leaving: bool) {
        if let Some(seat) = self.partitions.get_mut(partition) {
            seat.leaving = leaving;
        }
    }

    /// What is to be done so that each replica has its share. Partitions in which something is in work stay.
    pub(super) fn wanted(&self, is_busy: impl Fn(usize) -> bool) -> Vec<Move> {
        let share = if self.leaves {
            0
        } else {
            PARTITIONS.div_ceil(self.members())
        };
        let ours = self.ours();
        let first = self.me.first_partition();
        let around = (first..PARTITIONS).chain(0..first);
        let seats =
            around.filter_map(|partition| Some((partition, self.partitions.get(partition)?)));
        if ours < share {
            let free = seats.filter(|(_, seat)| self.is_free(seat));
            let free = free.map(|(partition, seat)| Move {
                partition,
                is_taken: true,
                after: seat.number,
            });
            return free.take(share - ours).collect();
        }
        let idle = seats.filter(|(partition, _)| self.is_ours(*partition) && !is_busy(*partition));
        let idle = idle.map(|(partition, seat)| Move {
            partition,
            is_taken: false,
            after: seat.number,
        });
        // Some may be on their way already.
        let surplus = (ours - share).saturating_sub(self.leaving().len());
        idle.take(surplus).collect()
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
        b.beat(replica("b"), at(1), 3, false);
        b.beat(replica("b"), at(9), 4, false);
        let has =
            |b: &Seats, wanted: usize| b.wanted(|_| false).iter().any(|m| m.partition == wanted);
        assert!(!has(&b, 3), "it was heard 9 s ago");
        b.beat(replica("b"), at(11), 5, false);
        assert!(has(&b, 3));
        b.beat(replica("a"), at(12), 6, false);
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
        a.set_leaving(3, true);
        assert!(!a.is_ours(3));
        a.set_leaving(3, false);
        assert!(a.is_ours(3));
        assert_eq!(a.sit(3, Some(replica("b")), 2), Change::Lost);
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
