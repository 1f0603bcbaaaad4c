//! When what is known turns old, and when it is up to date again.

use std::time::Duration;

use tokio::time::Instant;

/// Whether everything is known, as it was last seen.
#[derive(Debug, Default)]
pub(super) struct Currency {
    /// Since when it is not.
    behind: Option<Instant>,
    /// Whether it ever was.
    was_current: bool,
}

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing is known yet.
    Begins,
    /// Changes may be missed from now on.
    Behind,
    /// Everything is known, after so long.
    Current(Duration),
}

impl Currency {
    /// Takes up whether everything is known now, and answers what there is to tell about it.
    pub(super) fn turn(&mut self, is_current: bool) -> Option<Turn> {
        match (is_current, self.behind) {
            (true, None) => {
                self.was_current = true;
                None
            }
            (true, Some(since)) => {
                self.behind = None;
                self.was_current = true;
                Some(Turn::Current(since.elapsed()))
            }
            (false, None) => {
                self.behind = Some(Instant::now());
                Some(if self.was_current {
                    Turn::Behind
                } else {
                    Turn::Begins
                })
            }
            (false, Some(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_turn_is_told_once() {
        let mut currency = Currency::default();
        assert_eq!(currency.turn(false), Some(Turn::Begins));
        assert_eq!(currency.turn(false), None);
        tokio::time::advance(Duration::from_secs(2)).await;
        let after = Some(Turn::Current(Duration::from_secs(2)));
        assert_eq!(currency.turn(true), after);
        assert_eq!(currency.turn(true), None);
        assert_eq!(currency.turn(false), Some(Turn::Behind));
        let after = Some(Turn::Current(Duration::ZERO));
        assert_eq!(currency.turn(true), after);
    }

    #[tokio::test]
    async fn what_is_always_up_to_date_tells_nothing() {
        let mut currency = Currency::default();
        assert_eq!(currency.turn(true), None);
        assert_eq!(currency.turn(true), None);
    }
}
