//! Work that is tried again, or whose turn comes, while newer work for the same image is being asked for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;

use super::registry_tests::away;
use super::registry_tests::digest;
use super::registry_tests::follows;
use super::registry_tests::take_next;
use super::task::Task;
use super::tests::batch;
use super::tests::terms;
use super::tests::updater;
use super::*;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::question::BuildQuestion;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::registry_client::RegistryClient;
use crate::ports::registry_client::RegistryError;
use crate::ports::signature_verifier::MockSignatureVerifier;
use crate::ports::update_trigger::MockUpdateTrigger;

/// A registry that answers one question at once, and the others when a gate is opened.
struct SlowAfterOne {
    first: Mutex<Option<Result<Option<Digest>, RegistryError>>>,
    gate: watch::Receiver<bool>,
    others: MockRegistryClient,
}

#[async_trait::async_trait]
impl RegistryClient for SlowAfterOne {
    async fn tags(&self, access: &Access) -> Result<TagList, RegistryError> {
        self.others.tags(access).await
    }

    async fn digest(&self, _: &Access, _: &Tag) -> Result<Option<Digest>, RegistryError> {
        let first = self.first.lock().unwrap().take();
        if let Some(answer) = first {
            return answer;
        }
        let mut gate = self.gate.clone();
        gate.wait_for(|open| *open).await.unwrap();
        Ok(Some(digest()))
    }

    async fn build(
        &self,
        access: &Access,
        question: &BuildQuestion,
    ) -> Result<Option<Build>, RegistryError> {
        self.others.build(access, question).await
    }
}

/// An updater that is to end two batches and may write 1.7.0 once, on a registry that answers the first question so.
fn asking(first: Result<Option<Digest>, RegistryError>) -> (Updater, watch::Sender<bool>) {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|changes| {
        assert_eq!(changes[0].images[0].new, "1.7.0");
        vec![Ok(())]
    });
    let mut updater = updater(2, trigger, follows("quay.io/a/b:^1"));
    let (open, gate) = watch::channel(false);
    let client = SlowAfterOne {
        first: Mutex::new(Some(first)),
        gate,
        others: MockRegistryClient::new(),
    };
    let verifier = Arc::new(MockSignatureVerifier::new());
    let registry = Registry::new(Arc::new(client), verifier, NonZeroUsize::new(2).unwrap());
    updater.terms = terms(Confirm::Registry);
    updater.ports.registry = Some(Arc::new(registry));
    (updater, open)
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_joins_newer_work_that_is_asked_for() {
    let (updater, open) = asking(Err(away()));
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    let newer = ["quay.io/a/b:1.6.0", "quay.io/a/b:1.7.0"];
    updater.examine(batch(&newer)).await;
    take_next(&updater).await; // the first one has to wait, and the newer one is asked for
    tokio::time::advance(Duration::from_secs(1)).await;
    updater.work_on_next(false).await; // the first one is to be asked for again
    open.send_replace(true);
    take_next(&updater).await;
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_has_its_turn_keeps_it_with_newer_work_that_is_asked_for() {
    let (updater, open) = asking(Ok(Some(digest())));
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await; // it waits for its turn
    updater
        .examine(batch(&["quay.io/a/b:1.6.0", "quay.io/a/b:1.7.0"]))
        .await;
    // Long enough for its answer to be old.
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(updater.needs_turn(false), (true, true));
    updater.work_on_next(false).await;
    open.send_replace(true);
    take_next(&updater).await;
    assert_eq!(updater.needs_turn(false), (false, false), "it had its turn");
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), []);
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_asked_again_at_its_turn_does_not_go_to_the_end_of_the_line() {
    let (updater, open) = asking(Ok(Some(digest())));
    open.send_replace(true);
    updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    take_next(&updater).await; // it waits for its turn
    let other = batch(&["quay.io/a/other:1"]);
    lock(&updater.backlog).add(Task::of(other.clone()));
    updater
        .examine(batch(&["quay.io/a/b:1.6.0", "quay.io/a/b:1.7.0"]))
        .await;
    take_next(&updater).await; // it joins the one that waits
    updater.work_on_next(false).await; // what both lead to is to be asked for
    take_next(&updater).await;
    assert_eq!(updater.needs_turn(false), (true, true));
    updater.work_on_next(false).await;
    assert_eq!(updater.unfinished(), [other]);
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_does_not_overtake_what_waits_for_its_turn() {
    let (updater, open) = asking(Err(away()));
    open.send_replace(true);
    updater.examine(batch(&["quay.io/a/b:1.7.0"])).await;
    take_next(&updater).await; // it has to wait
    let other = batch(&["quay.io/a/other:1"]);
    lock(&updater.backlog).add(Task::of(other.clone()));
    tokio::time::advance(Duration::from_secs(1)).await;
    updater.work_on_next(false).await; // it is asked for again
    take_next(&updater).await;
    let first = lock(&updater.backlog)
        .first_ready(false)
        .unwrap()
        .batch
        .clone();
    assert_eq!(first, other);
    for _ in 0..2 {
        updater.work_on_next(false).await;
    }
    assert_eq!(updater.unfinished(), []);
}
