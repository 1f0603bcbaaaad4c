//! Who may read the metrics, remembered for a while, so that a scrape does not cost the API server two calls each time, and a stranger
//! with made-up tokens not more than a few at once.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use sha2::Digest;
use sha2::Sha256;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;
use tracing::debug;
use tracing::warn;

use crate::ports::access_reviewer::Access;
use crate::ports::access_reviewer::AccessReviewer;
use crate::ports::access_reviewer::ReviewError;

/// How long a permission counts without asking again.
const GRANTED: Duration = Duration::from_secs(60);
/// How long a refusal does, so that what is granted meanwhile counts soon.
const REFUSED: Duration = Duration::from_secs(10);
/// How many callers are remembered. More than that are strangers.
const CALLERS: usize = 64;

/// The hash of a token, so that none is kept.
type Key = [u8; 32];

/// Remembers what another reviewer says.
pub struct Remembered {
    reviewer: Arc<dyn AccessReviewer>,
    known: Mutex<HashMap<Key, (Access, Instant)>>,
    /// The calls are made one after the other.
    turn: Turn<()>,
    told: Mutex<Told>,
}

/// What the log has a line of.
#[derive(Default)]
struct Told {
    /// The permissions that are missing, each for as long as the process lives.
    missing: HashSet<&'static str>,
    /// An outage that has not ended.
    is_out: bool,
}

impl Remembered {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(reviewer: Arc<dyn AccessReviewer>) -> Self {
        Self {
            reviewer,
            known: Mutex::default(),
            turn: Turn::new(()),
            told: Mutex::default(),
        }
    }

    fn known(&self, key: &Key) -> Option<Access> {
        let known = lock(&self.known);
        let (access, until) = known.get(key)?;
        (*until > Instant::now()).then_some(*access)
    }

    fn remember(&self, key: Key, access: Access) {
        let now = Instant::now();
        let lasts = match access {
            Access::Granted => GRANTED,
            Access::Unknown | Access::Denied => REFUSED,
        };
        let mut known = lock(&self.known);
        known.retain(|_, (_, until)| *until > now);
        if known.len() >= CALLERS {
            // What would be forgotten first anyway: mostly a stranger, whose answer lasts for less.
            let first = known.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(key, _)| *key) {
                known.remove(&first);
            }
        }
        known.insert(key, (access, now + lasts));
    }

    fn tell(&self, error: &ReviewError) {
        if self.is_news(error) {
            warn!(%error, "metrics cannot be served; nothing else depends on it");
        } else {
            debug!(%error, "metrics could not be served");
        }
    }

    fn is_news(&self, error: &ReviewError) -> bool {
        let mut told = lock(&self.told);
        match error {
            ReviewError::Forbidden { resource, .. } => told.missing.insert(resource),
            ReviewError::Unavailable { .. } => !std::mem::replace(&mut told.is_out, true),
        }
    }
}

#[async_trait]
impl AccessReviewer for Remembered {
    async fn review(&self, token: &str) -> Result<Access, ReviewError> {
        let key: Key = Sha256::digest(token.as_bytes()).into();
        if let Some(access) = self.known(&key) {
            return Ok(access);
        }
        let _turn = self.turn.lock().await;
        // Whoever was before may have asked the same.
        if let Some(access) = self.known(&key) {
            return Ok(access);
        }
        let reviewed = self.reviewer.review(token).await;
        match &reviewed {
            Ok(access) => {
                lock(&self.told).is_out = false;
                self.remember(key, *access);
            }
            Err(error) => self.tell(error),
        }
        reviewed
    }
}

/// Nothing in here panics while it holds a lock half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::access_reviewer::MockAccessReviewer;

    /// A reviewer that may be asked so often.
    fn asked(times: usize, answer: &Result<Access, ReviewError>) -> Remembered {
        let mut reviewer = MockAccessReviewer::new();
        reviewer
            .expect_review()
            .times(times)
            .return_const(answer.clone());
        Remembered::new(Arc::new(reviewer))
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_remembered_for_a_while() {
        for (access, lasts) in [
            (Access::Granted, GRANTED),
            (Access::Denied, REFUSED),
            (Access::Unknown, REFUSED),
        ] {
            let remembered = asked(2, &Ok(access));
            for _ in 0..3 {
                assert_eq!(remembered.review("a").await, Ok(access));
            }
            tokio::time::advance(lasts).await;
            assert_eq!(remembered.review("a").await, Ok(access));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_token_is_asked_about_once() {
        let remembered = asked(2, &Ok(Access::Granted));
        let (first, second) = tokio::join!(remembered.review("a"), remembered.review("a"));
        assert_eq!((first, second), (Ok(Access::Granted), Ok(Access::Granted)));
        assert_eq!(remembered.review("b").await, Ok(Access::Granted));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_not_remembered() {
        let error = ReviewError::Unavailable {
            reason: "away".to_owned(),
        };
        let remembered = asked(2, &Err(error.clone()));
        for _ in 0..2 {
            assert_eq!(remembered.review("a").await, Err(error.clone()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_fill_nothing_up() {
        let mut reviewer = MockAccessReviewer::new();
        reviewer
            .expect_review()
            .withf(|token| token == "prometheus")
            .times(1)
            .return_const(Ok(Access::Granted));
        reviewer.expect_review().return_const(Ok(Access::Unknown));
        let remembered = Remembered::new(Arc::new(reviewer));
        assert_eq!(remembered.review("prometheus").await, Ok(Access::Granted));
        for stranger in 0..10 * CALLERS {
            let said = remembered.review(&stranger.to_string()).await;
            assert_eq!(said, Ok(Access::Unknown));
        }
        assert_eq!(lock(&remembered.known).len(), CALLERS);
        assert_eq!(remembered.review("prometheus").await, Ok(Access::Granted));
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_when_it_begins() {
        let missing = ReviewError::Forbidden {
            resource: "tokenreviews.authentication.k8s.io",
            reason: "no".to_owned(),
        };
        let out = ReviewError::Unavailable {
            reason: "away".to_owned(),
        };
        let remembered = asked(1, &Ok(Access::Granted));
        for error in [&missing, &out] {
            assert!(remembered.is_news(error));
            assert!(!remembered.is_news(error));
        }
        assert!(remembered.review("a").await.is_ok());
        assert!(!remembered.is_news(&missing));
        assert!(remembered.is_news(&out));
    }
}
