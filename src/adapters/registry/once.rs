//! One request for one question: whoever asks what is being asked already waits for that answer.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Mutex;
use std::sync::PoisonError;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::future::Shared;
use futures_util::future::WeakShared;

type Running<A> = WeakShared<BoxFuture<'static, A>>;

/// With more questions than these, those that were given up are looked for.
const MANY: usize = 1024;

/// Questions that are being asked.
///
/// Whoever waits drives the asking, so it goes on as long as one of them is there, and ends with the last.
pub(super) struct Once<Q, A: Clone> {
    running: Mutex<HashMap<Q, Running<A>>>,
}

impl<Q: Clone + Eq + Hash, A: Clone> Once<Q, A> {
    pub(super) fn new() -> Self {
        Self {
            running: Mutex::new(HashMap::new()),
        }
    }

    /// The answer to a question, which is asked where nobody does so now.
    pub(super) async fn ask<F>(&self, question: &Q, asking: impl FnOnce() -> F) -> A
    where
        F: Future<Output = A> + Send + 'static,
    {
        let shared = self.shared(question, asking);
        let answer = shared.await;
        self.tidy(question);
        answer
    }

    fn shared<F>(&self, question: &Q, asking: impl FnOnce() -> F) -> Shared<BoxFuture<'static, A>>
    where
        F: Future<Output = A> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let known = running.get(question).and_then(WeakShared::upgrade);
        // One that has its answer is no longer asked: the answer may be old by now.
        if let Some(shared) = known.filter(|shared| shared.peek().is_none()) {
            return shared;
        }
        let shared = asking().boxed().shared();
        if let Some(weak) = shared.downgrade() {
            running.insert(question.clone(), weak);
        }
        shared
    }

    /// Removes a question that nobody asks any more; one that was given up is removed when it is asked again.
    fn tidy(&self, question: &Q) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_asked =
            |weak: &Running<A>| weak.upgrade().is_some_and(|shared| shared.peek().is_none());
        if running.get(question).is_some_and(|weak| !is_asked(weak)) {
            running.remove(question);
        }
        if running.len() > MANY {
            running.retain(|_, weak| is_asked(weak));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use tokio::time::sleep;
    use tokio::time::timeout;

    use super::*;

    struct Counted {
        once: Once<&'static str, usize>,
        asked: Arc<AtomicUsize>,
    }

    impl Counted {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                once: Once::new(),
                asked: Arc::default(),
            })
        }

        async fn ask(&self, question: &'static str) -> usize {
            let asked = Arc::clone(&self.asked);
            let asking = || async move {
                sleep(Duration::from_secs(1)).await;
                asked.fetch_add(1, Ordering::Relaxed) + 1
            };
            self.once.ask(&question, asking).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_questions_are_asked_once_and_later_ones_again() {
        let counted = Counted::new();
        let all = tokio::join!(counted.ask("a"), counted.ask("a"), counted.ask("a"));
        assert_eq!(all, (1, 1, 1));
        assert_eq!(counted.ask("a").await, 2);
        let others = tokio::join!(counted.ask("a"), counted.ask("b"));
        assert_eq!(others.0 + others.1, 3 + 4);
        assert!(counted.once.running.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_away_takes_nobodys_answer_along() {
        let counted = Counted::new();
        let second = tokio::spawn({
            let counted = Arc::clone(&counted);
            async move {
                sleep(Duration::from_millis(100)).await;
                counted.ask("a").await
            }
        });
        let first = timeout(Duration::from_millis(500), counted.ask("a")).await;
        assert!(first.is_err());
        assert_eq!(second.await.unwrap(), 1);
        let alone = timeout(Duration::from_millis(500), counted.ask("a")).await;
        assert!(alone.is_err(), "and what nobody waits for is not asked on");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(counted.asked.load(Ordering::Relaxed), 1);
    }
}
