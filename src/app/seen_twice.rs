//! What counts when two looks running have seen it: an editor that empties a file before it writes it would else change everything for a
//! moment.

/// Something that is looked at again and again.
#[derive(Debug)]
pub(super) struct SeenTwice<T> {
    known: T,
    /// What the last look saw, where that is something else.
    pending: Option<T>,
}

impl<T: PartialEq> SeenTwice<T> {
    /// Starts from what was seen at first, which counts.
    pub(super) fn new(known: T) -> Self {
        Self {
            known,
            pending: None,
        }
    }

    /// What counts.
    pub(super) fn known(&self) -> &T {
        &self.known
    }

    /// Whether the last look saw what counts.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_none()
    }

    /// Takes in what a look saw. Where something else counts by that, gives what did before.
    pub(super) fn look(&mut self, seen: T) -> Option<T> {
        let pending = self.pending.take();
        if seen == self.known {
            return None;
        }
        if pending.as_ref() == Some(&seen) {
            return Some(std::mem::replace(&mut self.known, seen));
        }
        self.pending = Some(seen);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_twice_running_counts() {
        let mut seen = SeenTwice::new('a');
        for (look, before, known, is_settled) in [
            ('a', None, 'a', true),
            ('b', None, 'a', false),
            ('a', None, 'a', true),
            // Seen twice, but not running.
            ('b', None, 'a', false),
            ('c', None, 'a', false),
            ('b', None, 'a', false),
            ('b', Some('a'), 'b', true),
            ('b', None, 'b', true),
            ('a', None, 'b', false),
            ('a', Some('b'), 'a', true),
        ] {
            assert_eq!(seen.look(look), before, "{look}");
            assert_eq!((*seen.known(), seen.is_settled()), (known, is_settled));
        }
    }
}
