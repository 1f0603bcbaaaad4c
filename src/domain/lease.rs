//! Who of several replicas leads: the rules of a Lease, as `client-go`'s leader election has them, so that it and this program respect each other.
//!
//! Clocks of machines differ, so the times in a Lease are never compared with a clock of one's own. A Lease has expired when it has not been
//! written for its duration since it was first seen as it is.

use std::time::Duration;
use std::time::Instant;

/// How long a leader leads without renewing. Another candidate takes over after that.
pub const DURATION: Duration = Duration::from_secs(15);
/// When a leader that cannot renew has to stop: before anybody else begins.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often a leader renews, and everybody else looks.
pub const RETRY: Duration = Duration::from_secs(2);

/// A Lease as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it; empty: nobody.
    pub holder: String,
    /// How long it is held without being renewed.
    pub duration: Duration,
    /// How often it has had another holder.
    pub transitions: u32,
    /// Is another whenever it was written.
    pub version: String,
}

/// What is to be done about a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write it for the first time, or for the first time as its holder.
    Acquire {
        /// How often it will have had another holder.
        transitions: u32,
    },
    /// Write it again, as its holder.
    Renew,
    /// Somebody else holds it: wait.
    Wait,
}

/// One who wants to lead, and what it has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    identity: String,
    seen: Option<(Lease, Instant)>,
}

impl Candidate {
    /// A candidate that has seen nothing. No two have the same identity.
    #[must_use]
    pub fn new(identity: String) -> Self {
        Self {
            identity,
            seen: None,
        }
    }

    /// Its identity.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The Lease as it was seen last.
    #[must_use]
    pub fn seen(&self) -> Option<&Lease> {
        self.seen.as_ref().map(|(lease, _)| lease)
    }

    /// Takes note of the Lease as it is now, and says what to do about it. `None`: there is none.
    pub fn look(&mut self, lease: Option<Lease>, now: Instant) -> Step {
        let Some(lease) = lease else {
            self.seen = None;
            return Step::Acquire { transitions: 0 };
        };
        let since = match self.seen.take() {
            Some((before, since)) if before.version == lease.version => since,
            Some(_) | None => now,
        };
        let expired = now.saturating_duration_since(since) >= lease.duration;
        let step = if lease.holder == self.identity {
            Step::Renew
        } else if lease.holder.is_empty() || expired {
            Step::Acquire {
                transitions: lease.transitions.saturating_add(1),
            }
        } else {
            Step::Wait
        };
        self.seen = Some((lease, since));
        step
    }
}

/// Whether a leader that last renewed then still leads.
#[must_use]
pub fn leads(renewed: Instant, now: Instant) -> bool {
    now.saturating_duration_since(renewed) < RENEW_DEADLINE
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Duration = Duration::from_secs(15);

    fn lease(holder: &str, version: &str) -> Lease {
        Lease {
            holder: holder.to_owned(),
            duration: HELD,
            transitions: 3,
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_lease_that_is_missing_or_free_is_taken() {
        let now = Instant::now();
        let mut me = Candidate::new("me".to_owned());
        assert_eq!(me.look(None, now), Step::Acquire { transitions: 0 });
        let free = me.look(Some(lease("", "1")), now);
        assert_eq!(free, Step::Acquire { transitions: 4 });
    }

    #[test]
    fn ones_own_is_renewed_however_old() {
        let now = Instant::now();
        let mut me = Candidate::new("me".to_owned());
        assert_eq!(me.look(Some(lease("me", "1")), now), Step::Renew);
        assert_eq!(me.look(Some(lease("me", "1")), now + 9 * HELD), Step::Renew);
    }

    #[test]
    fn anothers_expires_when_it_was_seen_unchanged_for_its_duration() {
        let start = Instant::now();
        let mut me = Candidate::new("me".to_owned());
        let mut look = |version, after| me.look(Some(lease("other", version)), start + after);
        let just_before = HELD.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(look("1", Duration::ZERO), Step::Wait);
        assert_eq!(look("1", just_before), Step::Wait);
        assert_eq!(look("2", HELD), Step::Wait);
        assert_eq!(look("2", HELD + just_before), Step::Wait);
        assert_eq!(look("2", HELD + HELD), Step::Acquire { transitions: 4 });
    }

    #[test]
    fn a_leader_stops_before_anybody_else_begins() {
        let renewed = Instant::now();
        assert!(RENEW_DEADLINE + RETRY < DURATION);
        assert!(leads(renewed, renewed + RENEW_DEADLINE / 2));
        assert!(!leads(renewed, renewed + RENEW_DEADLINE));
    }
}
