//! What every [`EventQueue`] does.

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use image_updater::adapters::memory::event_queue::InMemoryQueue;
use image_updater::adapters::metrics::work::WorkMeters;
use image_updater::app::seeing::watched_queue::WatchedQueue;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::delivery::SenderKey;
use image_updater::domain::delivery::TraceParent;
use image_updater::domain::queue::accepted::Accepted;
use image_updater::domain::queue::fate::Fate;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Load;
use image_updater::ports::event_queue::Placement;
use image_updater::ports::event_queue::Pushed;
use image_updater::ports::event_queue::QueueError;

use crate::support::at_once;
use crate::support::event;
use crate::support::verified::verified;

/// Runs the suite on queues that `make` gives for a bound.
pub(crate) async fn suite(make: impl AsyncFn(usize) -> Arc<dyn EventQueue>) {
    gives_what_waits_for_one_image_together(&*make(10).await).await;
    the_newest_announcement_of_a_tag_wins(&*make(10).await).await;
    an_event_for_a_tag_in_work_waits_anew(&*make(10).await).await;
    gives_what_waits_at_once(&*make(10).await).await;
    is_bounded_until_work_is_done(&*make(3).await).await;
    a_tag_in_work_has_room_in_a_full_queue(&*make(2).await).await;
    takes_a_delivery_larger_than_its_bound_when_empty(&*make(2).await).await;
    bears_a_crowd_of_tags(&*make(20_000).await).await;
    wakes_the_one_who_waits(make(10).await).await;
    a_wait_that_is_given_up_loses_nothing(&*make(10).await).await;
    what_comes_twice_is_queued_once_until_it_is_done(&*make(10).await).await;
    what_waits_is_counted(&*make(10).await).await;
}

async fn what_comes_twice_is_queued_once_until_it_is_done(queue: &dyn EventQueue) {
    let events = &["quay.io/a/b:1", "quay.io/a/c:1"];
    let again = || deliver(queue, "d2", Some("k"), events);
    let first = deliver(queue, "d1", Some("k"), events).await.unwrap();
    assert_eq!(first, Pushed::Queued(vec![Placement::Added; 2]));
    let same = Pushed::Duplicate(DeliveryId::new("d1"));
    assert_eq!(again().await.unwrap(), same, "it waits");
    let other = deliver(queue, "d3", Some("another"), &["quay.io/a/d:1"]).await;
    assert_eq!(other.unwrap(), Pushed::Queued(vec![Placement::Added]));
    let batches = [queue.next().await, queue.next().await];
    assert_eq!(again().await.unwrap(), same, "it is in work");
    queue.done(&batches[0], &done()).await;
    assert_eq!(again().await.unwrap(), same, "a part of it is in work");
    queue.done(&batches[1], &done()).await;
    assert_eq!(again().await.unwrap(), first, "it is done");
    assert_eq!(next(queue).await, ["d3 quay.io/a/d:1"]);
    assert_eq!(next(queue).await, ["d2 quay.io/a/b:1"]);
}

async fn what_waits_is_counted(queue: &dyn EventQueue) {
    assert_eq!(queue.load(), Load::default());
    push(queue, "d1", &["quay.io/a/b:1", "quay.io/a/c:1"])
        .await
        .unwrap();
    let load = queue.load();
    assert_eq!((load.open, load.oldest), (2, Some(arrival())));
    next(queue).await;
    assert_eq!(queue.load().open, 1);
    next(queue).await;
    assert_eq!(queue.load(), Load::default());
}

async fn gives_what_waits_for_one_image_together(queue: &dyn EventQueue) {
    push(queue, "d1", &["quay.io/a/one:1.5.1", "quay.io/a/one:1.5"])
        .await
        .unwrap();
    push(queue, "d2", &["quay.io/a/two:1"]).await.unwrap();
    push(queue, "d3", &["quay.io/a/one:latest"]).await.unwrap();
    assert_eq!(
        next(queue).await,
        [
            "d1 quay.io/a/one:1.5.1",
            "d1 quay.io/a/one:1.5",
            "d3 quay.io/a/one:latest"
        ]
    );
    assert_eq!(next(queue).await, ["d2 quay.io/a/two:1"]);
    assert!(is_empty(queue));
}

async fn the_newest_announcement_of_a_tag_wins(queue: &dyn EventQueue) {
    let digest = |c: &str| format!("sha256:{}", c.repeat(64));
    push(
        queue,
        "d1",
        &[&format!("quay.io/a/b:1@{}", digest("a")), "quay.io/a/b:2"],
    )
    .await
    .unwrap();
    let placements = push(queue, "d2", &[&format!("quay.io/a/b:1@{}", digest("b"))])
        .await
        .unwrap();
    assert_eq!(
        placements,
        [Placement::Replaced {
            superseded: DeliveryId::new("d1".to_owned())
        }]
    );
    let newest = format!("d2 quay.io/a/b:1@{}", digest("b"));
    assert_eq!(next(queue).await, ["d1 quay.io/a/b:2", newest.as_str()]);
    assert!(is_empty(queue));
}

async fn an_event_for_a_tag_in_work_waits_anew(queue: &dyn EventQueue) {
    push(queue, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let batch = queue.next().await;
    assert_eq!(
        push(queue, "d2", &["quay.io/a/b:1"]).await.unwrap(),
        [Placement::Added]
    );
    queue.done(&batch, &done()).await;
    assert_eq!(next(queue).await, ["d2 quay.io/a/b:1"]);
}

async fn is_bounded_until_work_is_done(queue: &dyn EventQueue) {
    push(queue, "d1", &["quay.io/a/b:1", "quay.io/a/b:2"])
        .await
        .unwrap();
    let refused = push(queue, "d2", &["quay.io/a/b:3", "quay.io/a/b:4"]).await;
    assert!(matches!(refused, Err(QueueError::Full { retry_after }) if !retry_after.is_zero()));
    // None of a refused delivery is kept, and what needs no new entry always has room.
    push(queue, "d3", &["quay.io/a/b:3"]).await.unwrap();
    push(queue, "d4", &["quay.io/a/b:3"]).await.unwrap();
    let batch = queue.next().await;
    assert_eq!(batch.events.len(), 3);
    assert!(
        push(queue, "d5", &["quay.io/a/b:5"]).await.is_err(),
        "work in progress counts"
    );
    queue.done(&batch, &done()).await;
    push(
        queue,
        "d6",
        &["quay.io/a/b:5", "quay.io/a/b:6", "quay.io/a/b:7"],
    )
    .await
    .unwrap();
}

async fn gives_what_waits_at_once(queue: &dyn EventQueue) {
    push(queue, "d1", &["quay.io/a/one:1"]).await.unwrap();
    push(queue, "d2", &["quay.io/a/two:1"]).await.unwrap();
    for image in ["quay.io/a/one", "quay.io/a/two"] {
        let batch = at_once(queue).unwrap();
        assert_eq!(batch.image.to_string(), image);
        queue.done(&batch, &done()).await;
    }
    assert!(is_empty(queue));
}

async fn a_tag_in_work_has_room_in_a_full_queue(queue: &dyn EventQueue) {
    push(queue, "d1", &["quay.io/a/b:1", "quay.io/a/b:2"])
        .await
        .unwrap();
    let first = queue.next().await;
    assert!(queue.is_kept(&first));
    let newest = format!("quay.io/a/b:1@sha256:{}", "a".repeat(64));
    assert_eq!(
        push(queue, "d2", &[&newest]).await.unwrap(),
        [Placement::Added]
    );
    // It counts once while it is in work and waits, as often as it is taken.
    let second = queue.next().await;
    assert_eq!(second.events[0].event.to_string(), newest);
    push(queue, "d3", &["quay.io/a/b:1"]).await.unwrap();
    assert!(push(queue, "d4", &["quay.io/a/b:3"]).await.is_err());
    queue.done(&first, &done()).await;
    push(queue, "d5", &["quay.io/a/b:3"]).await.unwrap();
    queue.done(&second, &done()).await;
    assert!(
        push(queue, "d6", &["quay.io/a/b:4"]).await.is_err(),
        "what waits anew counts when the work is done"
    );
    assert_eq!(next(queue).await, ["d3 quay.io/a/b:1", "d5 quay.io/a/b:3"]);
    push(queue, "d7", &["quay.io/a/b:4", "quay.io/a/b:5"])
        .await
        .unwrap();
}

async fn takes_a_delivery_larger_than_its_bound_when_empty(queue: &dyn EventQueue) {
    let large = ["quay.io/a/b:1", "quay.io/a/b:2", "quay.io/a/b:3"];
    push(queue, "d1", &["quay.io/a/b:4"]).await.unwrap();
    assert!(push(queue, "d2", &large).await.is_err());
    next(queue).await;
    push(queue, "d3", &large).await.unwrap();
    // Who announces again what waits is let in all the same; anything else waits for room.
    push(queue, "d4", &large).await.unwrap();
    assert!(push(queue, "d5", &["quay.io/a/b:4"]).await.is_err());
    assert_eq!(next(queue).await.len(), 3);
    assert!(is_empty(queue));
}

/// Far beyond what waits in earnest: with work that grows with the square of it this would not end in reasonable time.
async fn bears_a_crowd_of_tags(queue: &dyn EventQueue) {
    let tags: Vec<String> = (0..20_000)
        .map(|tag| format!("quay.io/a/b:{tag}"))
        .collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    push(queue, "d1", &tags).await.unwrap();
    push(queue, "d2", &tags).await.unwrap();
    let shown = next(queue).await;
    assert_eq!(shown.len(), tags.len());
    assert_eq!(shown[19_999], "d2 quay.io/a/b:19999");
}

async fn wakes_the_one_who_waits(queue: Arc<dyn EventQueue>) {
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { next(&*queue).await }
    });
    tokio::task::yield_now().await;
    push(&*queue, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_eq!(waiting.await.unwrap(), ["d1 quay.io/a/b:1"]);
}

async fn a_wait_that_is_given_up_loses_nothing(queue: &dyn EventQueue) {
    assert!(is_empty(queue));
    push(queue, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_eq!(next(queue).await, ["d1 quay.io/a/b:1"]);
}

async fn push(
    queue: &dyn EventQueue,
    delivery: &str,
    events: &[&str],
) -> Result<Vec<Placement>, QueueError> {
    match deliver(queue, delivery, None, events).await? {
        Pushed::Queued(placements) => Ok(placements),
        Pushed::Duplicate(of) => panic!("{delivery} is taken for {of}"),
    }
}

pub(crate) async fn deliver(
    queue: &dyn EventQueue,
    delivery: &str,
    key: Option<&str>,
    events: &[&str],
) -> Result<Pushed, QueueError> {
    let accepted = Accepted {
        delivery: DeliveryId::new(delivery),
        sender: "test".to_owned(),
        key: key.and_then(SenderKey::parse),
        at: arrival(),
        trace: trace(),
        events: events.iter().map(|text| event(text)).collect(),
    };
    queue.push(verified(accepted)).await
}

/// When all deliveries come in.
pub(crate) fn arrival() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// What all deliveries are part of.
pub(crate) fn trace() -> Option<TraceParent> {
    TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
}

/// Work that changed nothing.
pub(crate) fn done() -> Fate {
    Fate::Worked(Vec::new())
}

/// Takes a batch, ends its work, and shows it.
pub(crate) async fn next(queue: &dyn EventQueue) -> Vec<String> {
    let batch = queue.next().await;
    queue.done(&batch, &done()).await;
    for queued in &batch.events {
        assert_eq!(queued.event.image, batch.image);
        assert_eq!(queued.trace, trace());
    }
    batch
        .events
        .iter()
        .map(|queued| format!("{} {}", queued.delivery, queued.event))
        .collect()
}

/// Whether nothing is there at once.
pub(crate) fn is_empty(queue: &dyn EventQueue) -> bool {
    at_once(queue).is_none()
}

#[tokio::test]
async fn in_memory() {
    suite(async |capacity| Arc::new(InMemoryQueue::new(capacity)) as _).await;
}

#[tokio::test]
async fn a_queue_that_is_watched_is_one() {
    suite(async |capacity| {
        Arc::new(WatchedQueue {
            queue: Arc::new(InMemoryQueue::new(capacity)),
            capacity,
            watcher: Arc::new(WorkMeters::default()),
        }) as _
    })
    .await;
}
