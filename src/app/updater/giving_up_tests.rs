//! What fails while newer events for its image keep coming.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use super::registry_tests::asking;
use super::registry_tests::away;
use super::registry_tests::follows;
use super::registry_tests::give_up;
use super::registry_tests::take_next;
use super::registry_tests::writes;
use super::tests::batch;
use super::tests::updater;
use super::*;
use crate::domain::queue::entry::EntryId;
use crate::ports::event_queue::MockEventQueue;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::update_trigger::MockUpdateTrigger;
use crate::ports::update_trigger::TriggerError;

const MINUTE: Duration = Duration::from_secs(60);

/// A push of a tag that there was never one of before.
fn pushed(number: u64) -> Batch {
    let mut pushed = batch(&[&format!("quay.io/a/b:1.6.{number}")]);
    pushed.events[0].entry = EntryId(number);
    pushed
}

/// An updater on a queue that notes which events have failed.
fn failing(mut updater: Updater) -> (Updater, Arc<Mutex<Vec<EntryId>>>) {
    let ended = Arc::<Mutex<Vec<EntryId>>>::default();
    let mut queue = MockEventQueue::new();
    let log = Arc::clone(&ended);
    queue.expect_done().returning(move |batch, fate| {
        assert!(fate.has_failed(), "{fate:?}");
        let entries = batch.events.iter().map(|queued| queued.entry);
        log.lock().unwrap().extend(entries);
    });
    queue.expect_is_kept().return_const(true);
    updater.ports.queue = Arc::new(queue);
    (updater, ended)
}

/// Pushes a tag every five minutes for hours. Each has its tries, and none waits for ever.
async fn push_for_hours(updater: &Updater, ended: &Mutex<Vec<EntryId>>) {
    for number in 0..50 {
        updater.examine(pushed(number)).await;
        let until = tokio::time::Instant::now() + 5 * MINUTE;
        while tokio::time::Instant::now() < until {
            tokio::time::advance(Duration::from_secs(1)).await;
            if updater.asking.has_events() {
                take_next(updater).await;
            }
            updater.work_on_next(false).await;
        }
        let ended = ended.lock().unwrap().len();
        let open = usize::try_from(number).unwrap() + 1 - ended;
        assert!(open <= 4, "{open} wait");
        assert!(open >= 3 || number < 3, "{open} wait: they had their time");
    }
    give_up(updater).await;
    let ended = ended.lock().unwrap();
    assert_eq!(*ended, (0..50).map(EntryId).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_a_registry_does_not_answer_is_given_up_while_newer_tags_come() {
    let mut client = MockRegistryClient::new();
    client.expect_digest().return_const(Err(away()));
    let updater = updater(0, writes(0), follows("quay.io/a/b:^1"));
    let updater = asking(client, Confirm::Registry, updater);
    let (updater, ended) = failing(updater);
    push_for_hours(&updater, &ended).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_given_up_while_newer_tags_come() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().returning(|_| {
        let reason = "time-out".to_owned();
        vec![Err(TriggerError::Unavailable { reason })]
    });
    let (updater, ended) = failing(updater(0, trigger, follows("quay.io/a/b:^1")));
    push_for_hours(&updater, &ended).await;
}
