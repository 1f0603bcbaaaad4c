//! What every [`DeliveryLog`] does with the deliveries of its queue.

use std::sync::Arc;
use std::time::Duration;

use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::entry::Batch;
use image_updater::domain::queue::fate::Fate;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::queue::record::DeliveryRecord;
use image_updater::domain::queue::record::EventState;
use image_updater::domain::queue::record::Progress;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::delivery_log::Redelivery;
use image_updater::ports::event_queue::EventQueue;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::event_queue::arrival;
use crate::event_queue::deliver;
use crate::event_queue::trace;
use crate::replica::shown;
use crate::support::event;
use crate::support::fate;

/// Longer than anything takes on a slow machine; a test that reaches it has failed.
const LONG: Duration = Duration::from_secs(60);

/// A queue, and the log of what came into it.
#[derive(Clone)]
pub(crate) struct Logged {
    pub(crate) queue: Arc<dyn EventQueue>,
    pub(crate) log: Arc<dyn DeliveryLog>,
}

/// Runs the suite on queues without deliveries.
pub(crate) async fn suite(make: impl AsyncFn() -> Logged) {
    begins_without_deliveries(make().await).await;
    tells_what_came_in_and_what_became_of_it(make().await).await;
    shows_the_newest_first_and_no_more_than_wanted(make().await).await;
    has_what_ended_worked_on_again(make().await).await;
    has_all_of_a_superseded_delivery_worked_on_again(make().await).await;
}

async fn begins_without_deliveries(Logged { log, .. }: Logged) {
    assert_eq!(log.list(None, 10).await, Ok(Vec::new()));
    let unknown = DeliveryId::new("d1");
    assert_eq!(log.show(&unknown).await, Ok(None));
    assert_eq!(log.redeliver(&unknown).await, Ok(Redelivery::Unknown));
}

async fn tells_what_came_in_and_what_became_of_it(Logged { queue, log }: Logged) {
    let digest = format!("quay.io/a/b:1@sha256:{}", "a".repeat(64));
    push(&*queue, "d1", &[&digest, "quay.io/a/b:2"]).await;
    push(&*queue, "d2", &["quay.io/a/b:2"]).await;
    let open = until(&*log, "d1", Progress::Open).await;
    assert_eq!((open.sender.as_str(), open.at), ("test", arrival()));
    assert_eq!(open.key.unwrap().as_str(), "key of d1");
    assert_eq!(open.trace, trace());
    let events: Vec<_> = open.events.into_iter().map(|known| known.event).collect();
    assert_eq!(events, [event(&digest), event("quay.io/a/b:2")]);

    end_next(&*queue, ImageOutcome::Changed).await;
    let done = until(&*log, "d1", Progress::Done).await;
    let superseded = Fate::Superseded(DeliveryId::new("d2"));
    assert_eq!(fates(&done), [&fate(ImageOutcome::Changed), &superseded]);
    let newer = until(&*log, "d2", Progress::Done).await;
    assert_eq!(fates(&newer), [&fate(ImageOutcome::Changed)]);
}

async fn shows_the_newest_first_and_no_more_than_wanted(Logged { queue, log }: Logged) {
    for id in ["d1", "d2", "d3"] {
        push(&*queue, id, &[&format!("quay.io/a/{id}:1")]).await;
        until(&*log, id, Progress::Open).await;
    }
    end_next(&*queue, ImageOutcome::Unchanged).await;
    until(&*log, "d1", Progress::Done).await;
    for (most, expected) in [(10, &["d3", "d2", "d1"][..]), (2, &["d3", "d2"]), (0, &[])] {
        let listed = log.list(None, most).await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, expected);
    }
    // One after the other, whether that is one of them or not.
    for (before, most, expected) in [
        ("d4", 10, &["d3", "d2", "d1"][..]),
        ("d3", 10, &["d2", "d1"]),
        ("d3", 1, &["d2"]),
        ("d2.", 10, &["d2", "d1"]),
        ("d1", 10, &[]),
    ] {
        let listed = log.list(Some(DeliveryId::new(before)), most).await;
        let listed = listed.unwrap();
        let ids: Vec<&str> = listed.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, expected, "before {before}");
    }
}

async fn has_what_ended_worked_on_again(Logged { queue, log }: Logged) {
    let id = DeliveryId::new("d1");
    push(&*queue, "d1", &["quay.io/a/b:1", "quay.io/a/c:1"]).await;
    for outcome in [
        ImageOutcome::Failed,
        ImageOutcome::Failed,
        ImageOutcome::Changed,
        ImageOutcome::Unchanged,
    ] {
        let again = || log.redeliver(&id);
        assert_eq!(again().await, Ok(Redelivery::Open), "it waits");
        let batch = take(&*queue).await;
        assert_eq!(again().await, Ok(Redelivery::Open), "it is in work");
        assert_eq!(shown(&batch), ["d1 quay.io/a/b:1"]);
        queue.done(&batch, &fate(outcome)).await;
        assert_eq!(again().await, Ok(Redelivery::Open), "a part of it waits");
        assert_eq!(end_next(&*queue, outcome).await, ["d1 quay.io/a/c:1"]);
        let progress = match outcome {
            ImageOutcome::Failed => Progress::Failed,
            _ => Progress::Done,
        };
        let record = until(&*log, "d1", progress).await;
        assert_eq!(fates(&record), [&fate(outcome), &fate(outcome)]);
        assert_eq!(again().await, Ok(Redelivery::Queued));
        until(&*log, "d1", Progress::Open).await;
    }
    assert_eq!(
        log.list(None, 10).await.unwrap().len(),
        1,
        "it is one delivery"
    );
}

async fn has_all_of_a_superseded_delivery_worked_on_again(Logged { queue, log }: Logged) {
    push(&*queue, "d1", &["quay.io/a/b:1"]).await;
    push(&*queue, "d2", &["quay.io/a/b:1"]).await;
    end_next(&*queue, ImageOutcome::Changed).await;
    until(&*log, "d1", Progress::Done).await;
    let again = log.redeliver(&DeliveryId::new("d1")).await;
    assert_eq!(again, Ok(Redelivery::Queued));
    let ended = end_next(&*queue, ImageOutcome::Unchanged).await;
    assert_eq!(ended, ["d1 quay.io/a/b:1"]);
    let record = until(&*log, "d1", Progress::Done).await;
    assert_eq!(fates(&record), [&fate(ImageOutcome::Unchanged)]);
}

async fn push(queue: &dyn EventQueue, id: &str, events: &[&str]) {
    let key = format!("key of {id}");
    deliver(queue, id, Some(&key), events).await.unwrap();
}

/// The next batch, which has to come.
async fn take(queue: &dyn EventQueue) -> Batch {
    timeout(LONG, queue.next()).await.unwrap()
}

/// Ends the work on the next batch and shows it.
async fn end_next(queue: &dyn EventQueue, outcome: ImageOutcome) -> Vec<String> {
    let batch = take(queue).await;
    queue.done(&batch, &fate(outcome)).await;
    shown(&batch)
}

/// Waits until the log has it that a delivery is so far: one that is told by others may be a moment behind.
async fn until(log: &dyn DeliveryLog, id: &str, progress: Progress) -> DeliveryRecord {
    let id = DeliveryId::new(id);
    let wait = async {
        loop {
            match log.show(&id).await.unwrap() {
                Some(record) if record.progress() == progress => return record,
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(LONG, wait).await.unwrap()
}

fn fates(record: &DeliveryRecord) -> Vec<&Fate> {
    let states = record.events.iter().map(|known| &known.state);
    states
        .map(|state| match state {
            EventState::Ended { fate, .. } => fate,
            EventState::Open => panic!("it has ended"),
        })
        .collect()
}
