//! Deliveries to a journal.

#[path = "../support/verified.rs"]
pub(crate) mod verified;

use std::future::Future;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::SystemTime;

use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::delivery::SenderKey;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::queue::accepted::Accepted;
use image_updater::domain::queue::entry::Batch;
use image_updater::domain::queue::fate::ApplicationOutcome;
use image_updater::domain::queue::fate::Fate;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::reference::Reference;
use image_updater::domain::resources::resource::ResourceId;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Pushed;
use image_updater::ports::event_queue::QueueError;

use self::verified::verified;

pub(crate) fn event(text: &str) -> ImageEvent {
    let reference = Reference::parse(text).unwrap();
    ImageEvent {
        image: reference.name().clone(),
        tag: reference.tag().unwrap().clone(),
        digest: reference.digest().cloned(),
    }
}

pub(crate) async fn push(
    queue: &dyn EventQueue,
    delivery: &str,
    events: &[&str],
) -> Result<Pushed, QueueError> {
    let accepted = Accepted {
        delivery: DeliveryId::new(delivery),
        sender: "quay.io".to_owned(),
        key: SenderKey::parse(&format!("quay.io:{delivery}")),
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        trace: None,
        events: events.iter().map(|text| event(text)).collect(),
    };
    queue.push(verified(accepted)).await
}

/// Delivers until it is taken, for ever.
pub(crate) async fn until_taken(queue: &dyn EventQueue, delivery: &str, event: &str) {
    while push(queue, delivery, &[event]).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn fate(outcome: ImageOutcome) -> Fate {
    Fate::Worked(vec![ApplicationOutcome {
        application: ResourceId {
            namespace: "argocd".to_owned(),
            name: "web".to_owned(),
        },
        alias: "main".to_owned(),
        outcome,
        detail: "because".to_owned(),
    }])
}

/// All that waits, as text, without ending the work on it.
pub(crate) fn take_all(queue: &dyn EventQueue) -> Vec<String> {
    std::iter::from_fn(|| at_once(queue))
        .flat_map(|batch| batch.events)
        .map(|queued| format!("{} {}", queued.delivery, queued.event))
        .collect()
}

/// What is there without waiting.
pub(crate) fn at_once(queue: &dyn EventQueue) -> Option<Batch> {
    let mut next = pin!(queue.next());
    match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(batch) => Some(batch),
        Poll::Pending => None,
    }
}
