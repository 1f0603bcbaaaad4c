//! Leads while this replica holds the Lease, and lets everybody know when it does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep_until;
use tokio::time::timeout;
use tracing::debug;
use tracing::info;
use tracing::warn;

use crate::domain::lease::Candidate;
use crate::domain::lease::RENEW_DEADLINE;
use crate::domain::lease::RETRY;
use crate::domain::lease::Step;
use crate::domain::lease::leads;
use crate::ports::lease_store::LeaseAct;
use crate::ports::lease_store::LeaseError;
use crate::ports::lease_store::LeaseStore;
use crate::ports::lease_store::LeaseWrite;

/// Time for giving the Lease back. Without it, the next leader waits until it expires, and that is all.
const RELEASE: Duration = Duration::from_secs(2);

/// One replica's part in finding a leader.
pub struct Leadership {
    store: Arc<dyn LeaseStore>,
    candidate: Candidate,
    renewed: Option<Instant>,
    leading: watch::Sender<bool>,
    last_failure: Option<LeaseError>,
}

impl Leadership {
    /// A replica that does not lead yet. No two replicas have the same identity.
    #[must_use]
    pub fn new(store: Arc<dyn LeaseStore>, identity: String) -> Self {
        Self {
            store,
            candidate: Candidate::new(identity),
            renewed: None,
            leading: watch::Sender::new(false),
            last_failure: None,
        }
    }

    /// Whether it leads, now and from now on. It is told before anybody else may lead.
    #[must_use]
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.leading.subscribe()
    }

    /// Tries to lead until `stop` completes, and gives the Lease back then.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.round() => {}
            }
        }
        self.release().await;
    }

    /// Looks at the Lease, does what there is to do, and waits for the next time. It takes no longer than a leader may go on without renewing.
    async fn round(&mut self) {
        let outcome = timeout(RETRY, self.step()).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} s", RETRY.as_secs());
            Err(LeaseError::Unavailable(reason))
        });
        self.note(outcome.err());
        let still = self
            .renewed
            .is_some_and(|renewed| leads(renewed.into_std(), Instant::now().into_std()));
        self.lead(still);
        sleep_until(self.next_look(still)).await;
    }

    /// Soon, and a leader that cannot renew does not sleep beyond its time.
    fn next_look(&self, is_leading: bool) -> Instant {
        let soon = Instant::now() + RETRY;
        match self.renewed {
            Some(renewed) if is_leading => soon.min(renewed + RENEW_DEADLINE),
            Some(_) | None => soon,
        }
    }

    async fn step(&mut self) -> Result<(), LeaseError> {
        let lease = self.store.read().await?;
        // From before the write, as that is when the others' time begins at the earliest.
        let now = Instant::now();
        let step = self.candidate.look(lease, now.into_std());
        let act = match step {
            Step::Wait => {
                self.renewed = None;
                return Ok(());
            }
            Step::Renew => LeaseAct::Renew,
            Step::Acquire { transitions } => LeaseAct::Acquire {
                holder: self.candidate.identity(),
                transitions,
            },
        };
        let read = self.candidate.seen();
        let written = self.store.write(LeaseWrite { read, act }).await?;
        self.candidate.look(Some(written), now.into_std());
        self.renewed = Some(now);
        Ok(())
    }

    fn lead(&self, leads: bool) {
        let changed = self.leading.send_if_modified(|leading| {
            let changed = *leading != leads;
            *leading = leads;
            changed
        });
        let identity = self.candidate.identity();
        match (changed, leads) {
            (false, _) => {}
            (true, true) => info!(identity, "this replica leads now"),
            (true, false) => warn!(identity, "this replica does not lead any more"),
        }
    }

    /// Logs a failure when it begins; to be beaten by somebody else is none.
    fn note(&mut self, failure: Option<LeaseError>) {
        match &failure {
            Some(LeaseError::Lost) => debug!("somebody else wrote the Lease meanwhile"),
            Some(error @ (LeaseError::Forbidden { .. } | LeaseError::Unavailable(_)))
                if self.last_failure.is_none() =>
            {
                warn!("{error}");
            }
            Some(LeaseError::Forbidden { .. } | LeaseError::Unavailable(_)) | None => {}
        }
        self.last_failure = failure;
    }

    async fn release(&mut self) {
        let was_leading = *self.leading.borrow();
        self.leading.send_replace(false);
        if !was_leading {
            return;
        }
        match timeout(RELEASE, self.give_back()).await {
            Ok(Ok(())) => info!("gave the Lease back"),
            Ok(Err(error)) => warn!("the Lease was not given back: {error}"),
            Err(_) => warn!("the Lease was not given back in time"),
        }
    }

    /// A write that was cut off half-way may have been made: then what is held is another Lease than the one that was seen.
    async fn give_back(&self) -> Result<(), LeaseError> {
        let act = LeaseAct::Release;
        let read = self.candidate.seen();
        let written = self.store.write(LeaseWrite { read, act }).await;
        if written != Err(LeaseError::Lost) {
            return written.map(|_| ());
        }
        let now = self.store.read().await?;
        let mine = now.filter(|lease| lease.holder == self.candidate.identity());
        match mine {
            Some(lease) => {
                let read = Some(&lease);
                self.store.write(LeaseWrite { read, act }).await.map(|_| ())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::sync::oneshot;
    use tokio::time::sleep;

    use super::*;
    use crate::domain::lease::DURATION;
    use crate::domain::lease::Lease;
    use crate::ports::lease_store::MockLeaseStore;

    /// A Lease in memory, which can be out of reach.
    #[derive(Default)]
    struct InMemory(Mutex<State>);

    #[derive(Default)]
    struct State {
        lease: Option<Lease>,
        writes: usize,
        out_of_reach: bool,
    }

    impl InMemory {
        fn reach(&self, reachable: bool) {
            self.0.lock().unwrap().out_of_reach = !reachable;
        }

        fn holder(&self) -> String {
            let state = self.0.lock().unwrap();
            let lease = state.lease.as_ref();
            lease.map(|lease| lease.holder.clone()).unwrap_or_default()
        }
    }

    #[async_trait]
    impl LeaseStore for Arc<InMemory> {
        async fn read(&self) -> Result<Option<Lease>, LeaseError> {
            let state = self.0.lock().unwrap();
            if state.out_of_reach {
                return Err(LeaseError::Unavailable("gone".to_owned()));
            }
            Ok(state.lease.clone())
        }

        async fn write<'a>(&self, write: LeaseWrite<'a>) -> Result<Lease, LeaseError> {
            let mut state = self.0.lock().unwrap();
            if state.lease.as_ref() != write.read {
                return Err(LeaseError::Lost);
            }
            state.writes += 1;
            let (holder, transitions) = match (write.act, write.read) {
                (
                    LeaseAct::Acquire {
                        holder,
                        transitions,
                    },
                    _,
                ) => (holder, transitions),
                (LeaseAct::Renew, Some(read)) => (read.holder.as_str(), read.transitions),
                (LeaseAct::Release, Some(read)) => ("", read.transitions),
                (LeaseAct::Renew | LeaseAct::Release, None) => panic!("there is none"),
            };
            let lease = Lease {
                holder: holder.to_owned(),
                duration: DURATION,
                transitions,
                version: state.writes.to_string(),
            };
            state.lease = Some(lease.clone());
            Ok(lease)
        }
    }

    struct Replica {
        leading: watch::Receiver<bool>,
        stop: oneshot::Sender<()>,
        task: tokio::task::JoinHandle<()>,
    }

    fn start(store: impl LeaseStore + 'static, identity: &str) -> Replica {
        let leadership = Leadership::new(Arc::new(store), identity.to_owned());
        let leading = leadership.leading();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(leadership.run(async {
            let _ = stopped.await;
        }));
        Replica {
            leading,
            stop,
            task,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_leads_and_the_next_follows_at_once_when_it_ends() {
        let store = Arc::new(InMemory::default());
        let mut first = start(Arc::clone(&store), "first");
        first.leading.wait_for(|leads| *leads).await.unwrap();
        let mut second = start(Arc::clone(&store), "second");
        sleep(3 * DURATION).await;
        assert!(!*second.leading.borrow() && *first.leading.borrow());

        first.stop.send(()).unwrap();
        first.task.await.unwrap();
        assert_eq!(store.holder(), "");
        let ended = Instant::now();
        second.leading.wait_for(|leads| *leads).await.unwrap();
        assert!(ended.elapsed() <= 2 * RETRY, "{:?}", ended.elapsed());
        assert_eq!(store.holder(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_cannot_renew_stops_before_another_begins() {
        let store = Arc::new(InMemory::default());
        let mut first = start(Arc::clone(&store), "first");
        first.leading.wait_for(|leads| *leads).await.unwrap();
        store.reach(false);
        let gone = Instant::now();
        first.leading.wait_for(|leads| !*leads).await.unwrap();
        assert!(gone.elapsed() <= RENEW_DEADLINE + RETRY);
        store.reach(true);
        first.leading.wait_for(|leads| *leads).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_vanishes_is_followed_when_its_lease_expires() {
        let store = Arc::new(InMemory::default());
        let mut first = start(Arc::clone(&store), "first");
        first.leading.wait_for(|leads| *leads).await.unwrap();
        let mut second = start(Arc::clone(&store), "second");
        sleep(RETRY).await;
        first.task.abort();
        let gone = Instant::now();
        second.leading.wait_for(|leads| *leads).await.unwrap();
        let waited = gone.elapsed();
        assert!(waited + 2 * RETRY >= DURATION && waited <= DURATION + 3 * RETRY);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forbidden_or_lost_makes_no_leader() {
        for error in [
            LeaseError::Lost,
            LeaseError::Forbidden {
                verb: "get",
                lease: "argocd/lease".to_owned(),
            },
        ] {
            let mut store = MockLeaseStore::new();
            store.expect_read().returning(move || Err(error.clone()));
            store.expect_write().never();
            let replica = start(store, "me");
            sleep(3 * DURATION).await;
            assert!(!*replica.leading.borrow());
            replica.stop.send(()).unwrap();
            replica.task.await.unwrap();
        }
    }
}
