//! The deliveries of which there is a note of what became of them.

use std::collections::BTreeSet;

use crate::domain::delivery::DeliveryId;

/// Their names, in their order in time.
#[derive(Debug, Default)]
pub(super) struct Remembered(BTreeSet<DeliveryId>);

impl Remembered {
    /// There is a note of this one.
    pub(super) fn add(&mut self, id: DeliveryId) {
        self.0.insert(id);
    }

    /// Whether there is a note of it.
    pub(super) fn knows(&self, id: &DeliveryId) -> bool {
        self.0.contains(id)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the oldest but for so many.
    pub(super) fn forget(&mut self, but: usize) {
        while self.0.len() > but {
            self.0.pop_first();
        }
    }

    /// The newest of these and of others, so many at the most, the newest first.
    pub(super) fn newest<'o>(
        &'o self,
        others: impl Iterator<Item = &'o DeliveryId>,
        most: usize,
    ) -> Vec<DeliveryId> {
        let others: BTreeSet<&DeliveryId> = others.collect();
        let mut all: Vec<&DeliveryId> = self.0.iter().rev().take(most).collect();
        all.extend(others.into_iter().rev().take(most));
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.dedup();
        all.into_iter().take(most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_names_are_forgotten() {
        let mut remembered = Remembered::default();
        for number in 1..=9 {
            remembered.add(DeliveryId::new(format!("d{number}")));
        }
        remembered.forget(2);
        assert_eq!(remembered.len(), 2);
        let ids: Vec<_> = ["d9", "d8", "c"].map(DeliveryId::new).into();
        assert!(remembered.knows(&ids[0]) && !remembered.knows(&ids[2]));
        let others = [ids[2].clone(), ids[0].clone()];
        assert_eq!(remembered.newest(others.iter(), 9), ids);
        assert_eq!(remembered.newest(others.iter(), 2), ids[..2]);
    }
}
