//! The deliveries of which there is a note of what became of them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::domain::delivery::DeliveryId;

/// How many notes are taken out together that have to be taken out each by itself, as one before them has to stay. That takes the server a while.
const ONE_BY_ONE: usize = 256;

/// Their names, in their order in time, with the numbers of their notes.
#[derive(Debug, Default)]
pub(super) struct Remembered(BTreeMap<DeliveryId, u64>);

/// Notes that are more than are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Surplus {
    /// Their numbers, the oldest first.
    pub(super) numbers: Vec<u64>,
    /// The oldest note that has to stay.
    pub(super) needed: Option<u64>,
}

impl Remembered {
    /// There is a note of this one, in the message of that number.
    pub(super) fn add(&mut self, id: DeliveryId, number: u64) {
        self.0.insert(id, number);
    }

    /// Whether there is a note of it.
    pub(super) fn knows(&self, id: &DeliveryId) -> bool {
        self.0.contains_key(id)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The oldest notes but for so many, not counting those of deliveries that need theirs, as far as they can be taken out together.
    pub(super) fn surplus(&self, but: Kept, needed: &HashSet<&DeliveryId>) -> Surplus {
        let (needed, others): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(id, _)| needed.contains(id));
        let mut numbers: Vec<u64> = others.into_iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        let but = match but {
            Kept::Newest(but) => but,
            Kept::Half => numbers.len() / 2,
        };
        numbers.truncate(numbers.len().saturating_sub(but));
        let needed = needed.into_iter().map(|(_, number)| *number).min();
        let at_once = needed.map_or(numbers.len(), |needed| {
            numbers.partition_point(|number| *number < needed)
        });
        numbers.truncate(at_once.saturating_add(ONE_BY_ONE));
        Surplus { numbers, needed }
    }

    /// Forgets notes.
    pub(super) fn forget(&mut self, surplus: &Surplus) {
        let numbers: HashSet<u64> = surplus.numbers.iter().copied().collect();
        self.0.retain(|_, number| !numbers.contains(number));
    }

    /// The newest of these and of others, so many at the most, the newest first.
    pub(super) fn newest<'o>(
        &'o self,
        others: impl Iterator<Item = &'o DeliveryId>,
        most: usize,
    ) -> Vec<DeliveryId> {
        let others: BTreeSet<&DeliveryId> = others.collect();
        let mut all: Vec<&DeliveryId> = self.0.keys().rev().take(most).collect();
        all.extend(others.into_iter().rev().take(most));
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.dedup();
        all.into_iter().take(most).cloned().collect()
    }
}

/// How many notes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// So many.
    Newest(usize),
    /// The newer half.
    Half,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nine() -> Remembered {
        let mut remembered = Remembered::default();
        for number in 1..=9 {
            remembered.add(DeliveryId::new(format!("d{number}")), 10 + number);
        }
        remembered
    }

    #[test]
    fn the_oldest_notes_are_forgotten() {
        let mut remembered = nine();
        let surplus = remembered.surplus(Kept::Newest(2), &HashSet::new());
        assert_eq!(surplus.numbers, [11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(surplus.needed, None);
        remembered.forget(&surplus);
        assert_eq!(remembered.len(), 2);
        let ids: Vec<_> = ["d9", "d8", "c"].map(DeliveryId::new).into();
        assert!(remembered.knows(&ids[0]) && !remembered.knows(&ids[2]));
        let others = [ids[2].clone(), ids[0].clone()];
        assert_eq!(remembered.newest(others.iter(), 9), ids);
        assert_eq!(remembered.newest(others.iter(), 2), ids[..2]);
        let none = remembered.surplus(Kept::Newest(2), &HashSet::new());
        assert_eq!(none, Surplus::default());
    }

    #[test]
    fn beyond_a_note_that_stays_few_go_together() {
        let mut remembered = Remembered::default();
        for number in 0..1000 {
            remembered.add(DeliveryId::new(format!("d{number:04}")), number);
        }
        let stays = DeliveryId::new("d0100");
        let surplus = remembered.surplus(Kept::Newest(10), &HashSet::from([&stays]));
        assert_eq!(surplus.numbers.len(), 100 + ONE_BY_ONE);
        assert_eq!(surplus.needed, Some(100));
    }

    #[test]
    fn a_note_that_is_needed_stays_and_is_not_counted() {
        let mut remembered = nine();
        // It was written again.
        remembered.add(DeliveryId::new("d1"), 20);
        let needed = ["d3", "d5", "x"].map(DeliveryId::new);
        let surplus = remembered.surplus(Kept::Half, &needed.iter().collect());
        assert_eq!(surplus.numbers, [12, 14, 16, 17]);
        assert_eq!(surplus.needed, Some(13));
        remembered.forget(&surplus);
        assert_eq!(remembered.len(), 5);
        assert!(remembered.knows(&needed[0]) && remembered.knows(&DeliveryId::new("d1")));
    }
}
