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
use tokio::time::timeout;
use tracing::debug;
use tracing::warn;

use crate::ports::access_reviewer::Access;
use crate::ports::access_reviewer::AccessReviewer;
use crate::ports::access_reviewer::ReviewError;

/// How long a permission counts without asking again.
const GRANTED: Duration = Duration::from_secs(60);
/// How long a refusal does, so that what is granted meanwhile counts soon.
const REFUSED: Duration = Duration::from_secs(10);
/// How long a permission counts where nobody can be asked: an outage of the API server is what people want to see the metrics in.
const GRACE: Duration = Duration::from_secs(3600);
/// How long an answer is waited for about a caller who had permission.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many callers are remembered. More than that are strangers.
const CALLERS: usize = 64;

/// The hash of a token, so that none is kept.
type Key = [u8; 32];

/// Remembers what another reviewer says.
pub struct Remembered {
    reviewer: Arc<dyn AccessReviewer>,
    known: Mutex<HashMap<Key, Said>>,
    /// The calls are made one after the other.
    turn: Turn<()>,
    told: Mutex<Told>,
}

/// What was said of a caller.
#[derive(Debug, Clone, Copy)]
struct Said {
    access: Access,
    /// Until when it counts without asking again.
    until: Instant,
    /// Until when it counts where nobody can be asked.
    lapses: Instant,
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
        let said = known.get(key)?;
        (said.until > Instant::now()).then_some(said.access)
    }

    /// Whether a caller had permission not long ago.
    fn had_permission(&self, key: &Key) -> bool {
        let known = lock(&self.known);
        known
            .get(key)
            .is_some_and(|said| said.access == Access::Granted && said.lapses > Instant::now())
    }

    /// Lets a permission count a little longer, as nobody can be asked.
    fn prolong(&self, key: &Key) {
        if let Some(said) = lock(&self.known).get_mut(key) {
            said.until = Instant::now() + REFUSED;
        }
    }

    fn remember(&self, key: Key, access: Access) {
        let now = Instant::now();
        let (lasts, lapses) = match access {
            Access::Granted => (GRANTED, GRACE),
            Access::Unknown | Access::Denied => (REFUSED, REFUSED),
        };
        let said = Said {
            access,
            until: now + lasts,
            lapses: now + lapses,
        };
        let mut known = lock(&self.known);
        known.retain(|_, said| said.lapses > now);
        if known.len() >= CALLERS {
            // What would be forgotten first anyway: mostly a stranger, whose answer lasts for less.
            let first = known.iter().min_by_key(|(_, said)| said.lapses);
            if let Some(first) = first.map(|(key, _)| *key) {
                known.remove(&first);
            }
        }
        known.insert(key, said);
    }

    /// Asks when nobody else does.
    async fn ask(&self, token: &str, key: Key) -> Result<Access, ReviewError> {
        let _turn = self.turn.lock().await;
        // Whoever was before may have asked the same.
        if let Some(access) = self.known(&key) {
            return Ok(access);
        }
        let reviewed = self.reviewer.review(token).await;
        if let Ok(access) = &reviewed {
            lock(&self.told).is_out = false;
            self.remember(key, *access);
        }
        reviewed
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
        if !self.had_permission(&key) {
            let reviewed = self.ask(token, key).await;
            return reviewed.inspect_err(|error| self.tell(error));
        }
        // A scrape has a time-out as well, and this one may go on without an answer, whoever else waits for one.
        match timeout(PATIENCE, self.ask(token, key)).await {
            Ok(Err(ReviewError::Unavailable { .. })) | Err(_) => {
                self.prolong(&key);
                Ok(Access::Granted)
            }
            Ok(reviewed) => reviewed.inspect_err(|error| self.tell(error)),
        }
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
    async fn who_had_permission_keeps_it_for_an_hour_while_nobody_can_be_asked() {
        let error = ReviewError::Unavailable {
            reason: "away".to_owned(),
        };
        let mut reviewer = MockAccessReviewer::new();
        let granted = Ok(Access::Granted);
        reviewer.expect_review().once().return_const(granted);
        reviewer.expect_review().return_const(Err(error.clone()));
        let remembered = Remembered::new(Arc::new(reviewer));
        for _ in 0..GRACE.as_secs() / 30 {
            assert_eq!(remembered.review("a").await, Ok(Access::Granted));
            assert_eq!(remembered.review("b").await, Err(error.clone()));
            tokio::time::advance(Duration::from_secs(30)).await;
        }
        assert_eq!(remembered.review("a").await, Err(error));
    }

    #[tokio::test(start_paused = true)]
    async fn a_permission_that_was_withdrawn_or_cannot_be_asked_for_does_not_last() {
        let forbidden = ReviewError::Forbidden {
            resource: "tokenreviews.authentication.k8s.io",
            reason: "no".to_owned(),
        };
        for answer in [Ok(Access::Denied), Ok(Access::Unknown), Err(forbidden)] {
            let mut reviewer = MockAccessReviewer::new();
            let granted = Ok(Access::Granted);
            reviewer.expect_review().once().return_const(granted);
            reviewer.expect_review().once().return_const(answer.clone());
            let remembered = Remembered::new(Arc::new(reviewer));
            assert_eq!(remembered.review("a").await, Ok(Access::Granted));
            tokio::time::advance(GRANTED).await;
            assert_eq!(remembered.review("a").await, answer);
        }
    }

    /// Never answers.
    struct Hanging;

    #[async_trait]
    impl AccessReviewer for Hanging {
        async fn review(&self, _: &str) -> Result<Access, ReviewError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_does_not_wait_for_an_api_server_that_hangs() {
        let remembered = Remembered::new(Arc::new(Hanging));
        let key: Key = Sha256::digest("a").into();
        remembered.remember(key, Access::Granted);
        tokio::time::advance(GRANTED).await;
        let began = Instant::now();
        for _ in 0..3 {
            assert_eq!(remembered.review("a").await, Ok(Access::Granted));
        }
        assert_eq!(began.elapsed(), PATIENCE, "it is asked once in a while");
        tokio::time::advance(REFUSED).await;
        let stranger = remembered.review("b");
        tokio::pin!(stranger);
        assert!(timeout(Duration::ZERO, &mut stranger).await.is_err());
        let began = Instant::now();
        assert_eq!(remembered.review("a").await, Ok(Access::Granted));
        assert_eq!(began.elapsed(), PATIENCE, "whoever else waits");
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
