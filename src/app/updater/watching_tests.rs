//! What those who watch the updater are told.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use tokio::time::sleep;

use super::tests::batch;
use super::tests::resources;
use super::tests::terms;
use super::tests::updater;
use super::*;
use crate::domain::change::ApplicationChange;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::reference::Digest;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::signature_verifier::MockSignatureVerifier;
use crate::ports::update_trigger::MockUpdateTrigger;
use crate::ports::update_trigger::TriggerError;
use crate::ports::work_watcher::Occasion;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;

const SECOND: Duration = Duration::from_secs(1);

/// What was told.
#[derive(Default)]
struct Told {
    steps: Mutex<Vec<(Step, Duration, bool)>>,
    outcomes: Mutex<Vec<(Occasion, Option<ImageOutcome>)>>,
    changed: Mutex<Vec<Duration>>,
}

impl WorkWatcher for Told {
    fn accepted(&self, _: &DeliveryId) -> Option<TraceParent> {
        None
    }

    fn stepped(&self, stepped: Stepped<'_>) {
        let step = (stepped.step, stepped.took, stepped.failed);
        self.steps.lock().unwrap().push(step);
    }

    fn concluded(&self, occasion: Occasion, outcome: Option<ImageOutcome>) {
        self.outcomes.lock().unwrap().push((occasion, outcome));
    }

    fn changed(&self, after: Duration) {
        self.changed.lock().unwrap().push(after);
    }
}

/// A trigger that takes two seconds.
struct Slow(Result<(), TriggerError>);

#[async_trait]
impl UpdateTrigger for Slow {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        sleep(2 * SECOND).await;
        vec![self.0.clone(); changes.len()]
    }
}

fn watched(done: usize, result: Result<(), TriggerError>) -> (Updater, Arc<Told>) {
    let follows = vec![resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver")];
    let mut updater = updater(done, MockUpdateTrigger::new(), follows);
    updater.ports.trigger = Some(Arc::new(Slow(result)));
    let told = Arc::new(Told::default());
    let updater = updater.watched_by(Arc::clone(&told) as _);
    (updater, told)
}

/// An event that was accepted so many hours ago.
fn accepted(event: &str, hours: u32) -> Batch {
    let mut batch = batch(&[event]);
    for queued in &mut batch.events {
        queued.at = SystemTime::now() - 3600 * hours * SECOND;
    }
    batch
}

#[tokio::test(start_paused = true)]
async fn a_change_is_as_old_as_the_delivery_that_announced_it() {
    let (updater, told) = watched(1, Ok(()));
    updater.examine(accepted("quay.io/a/b:1.6.0", 5)).await;
    updater.examine(accepted("quay.io/a/b:1.7.0", 2)).await;
    sleep(3 * SECOND).await;
    updater.work_on_next(false).await;
    let ages: Vec<u64> = told
        .changed
        .lock()
        .unwrap()
        .iter()
        .map(|age| age.as_secs() / 3600)
        .collect();
    assert_eq!(ages, [2]);
    let outcome = (Occasion::Delivery, Some(ImageOutcome::Changed));
    assert_eq!(*told.outcomes.lock().unwrap(), [outcome]);
    let steps = told.steps.lock().unwrap();
    assert_eq!(steps.last(), Some(&(Step::Write, 2 * SECOND, false)));
    let judged = (Step::Judge, Duration::ZERO, false);
    assert_eq!(steps[..steps.len() - 1], [judged; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_or_changes_nothing_is_told() {
    let (updater, told) = watched(4, Err(TriggerError::Gone));
    for event in [
        "quay.io/a/b:1.6.0",
        "quay.io/a/b:1.5.0",
        "quay.io/a/other:1",
        "quay.io/a/b:1.4.0",
    ] {
        updater.examine(accepted(event, 0)).await;
        updater.work_on_next(false).await;
    }
    let outcomes = [
        Some(ImageOutcome::Failed),
        Some(ImageOutcome::Unchanged),
        None,
        Some(ImageOutcome::Unchanged),
    ];
    let outcomes = outcomes.map(|outcome| (Occasion::Delivery, outcome));
    assert_eq!(*told.outcomes.lock().unwrap(), outcomes);
    assert!(told.changed.lock().unwrap().is_empty());
    let steps = told.steps.lock().unwrap();
    assert!(steps.contains(&(Step::Write, 2 * SECOND, true)));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing() {
    let (mut updater, told) = watched(1, Ok(()));
    updater.ports.trigger = None;
    let event = accepted("quay.io/a/b:1.6.0", 0);
    updater.examine(event).await;
    updater.work_on_next(false).await;
    let outcome = (Occasion::Delivery, Some(ImageOutcome::DryRun));
    assert_eq!(*told.outcomes.lock().unwrap(), [outcome]);
    assert!(told.changed.lock().unwrap().is_empty());
    let steps = told.steps.lock().unwrap();
    assert!(steps.iter().all(|(step, ..)| *step == Step::Judge));
}

#[tokio::test(start_paused = true)]
async fn questions_are_told_with_their_time() {
    let (mut updater, told) = watched(1, Ok(()));
    let mut client = MockRegistryClient::new();
    let digest = Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap();
    client.expect_digest().return_const(Ok(Some(digest)));
    let verifier = Arc::new(MockSignatureVerifier::new());
    let registry = Registry::new(Arc::new(client), verifier, NonZeroUsize::MIN)
        .watched_by(Arc::clone(&told) as _);
    updater.terms = terms(Confirm::Registry);
    updater.ports.registry = Some(Arc::new(registry));
    let event = accepted("quay.io/a/b:1.6.0", 0);
    updater.examine(event).await;
    let answers = updater.asking.next().await;
    updater.take_in(answers).await;
    updater.work_on_next(false).await;
    let asked = (Step::Ask, Duration::ZERO, false);
    assert!(told.steps.lock().unwrap().contains(&asked));
    let outcome = (Occasion::Delivery, Some(ImageOutcome::Changed));
    assert_eq!(*told.outcomes.lock().unwrap(), [outcome]);
}
