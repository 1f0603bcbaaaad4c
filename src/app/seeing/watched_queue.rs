//! A queue that is watched.

use std::slice;
use std::sync::Arc;

use async_trait::async_trait;

use super::arrivals::Arrivals;
use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::Batch;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::QueueError;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// Any queue, of which it is remembered when events come, and told how long they wait.
pub struct WatchedQueue {
    /// The queue.
    pub queue: Arc<dyn EventQueue>,
    /// Remembers.
    pub arrivals: Arc<Arrivals>,
    /// Is told.
    pub watcher: Arc<dyn WorkWatcher>,
}

impl WatchedQueue {
    fn end(&self, event: &ImageEvent, delivery: &DeliveryId) {
        self.arrivals.end(event, delivery);
        self.watcher.ended(delivery);
    }
}

/// Events on their way into the queue. Those of which it is not known in the end that they are there are forgotten.
struct Pushing<'a> {
    watched: &'a WatchedQueue,
    delivery: &'a DeliveryId,
    events: Vec<ImageEvent>,
}

impl<'a> Pushing<'a> {
    fn begin(watched: &'a WatchedQueue, delivery: &'a DeliveryId, events: Vec<ImageEvent>) -> Self {
        for event in &events {
            watched.arrivals.begin(event, delivery);
        }
        watched.watcher.queued(delivery, events.len());
        Self {
            watched,
            delivery,
            events,
        }
    }
}

impl Drop for Pushing<'_> {
    fn drop(&mut self) {
        for event in &self.events {
            self.watched.end(event, self.delivery);
        }
    }
}

#[async_trait]
impl EventQueue for WatchedQueue {
    async fn push(
        &self,
        delivery: &DeliveryId,
        events: Verified<Vec<ImageEvent>>,
    ) -> Result<Vec<Placement>, QueueError> {
        // Before they are queued, as they may be done in the same moment.
        let mut pushing = Pushing::begin(self, delivery, events.get().clone());
        let placements = self.queue.push(delivery, events).await?;
        for (event, placement) in pushing.events.drain(..).zip(&placements) {
            if let Placement::Replaced { superseded } = placement {
                self.end(&event, superseded);
            }
        }
        Ok(placements)
    }

    async fn next(&self) -> Batch {
        let batch = self.queue.next().await;
        for queued in &batch.events {
            let Some(took) = self.arrivals.age(queued) else {
                continue;
            };
            self.watcher.stepped(Stepped {
                step: Step::Queue,
                image: &batch.image,
                events: slice::from_ref(queued),
                took,
                failed: false,
            });
        }
        batch
    }

    async fn done(&self, batch: &Batch) {
        self.queue.done(batch).await;
        for queued in &batch.events {
            self.end(&queued.event, &queued.delivery);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use mockall::predicate::always;

    use super::*;
    use crate::domain::delivery::Delivery;
    use crate::domain::pairs::Pairs;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::secret_policy::SecretPolicy;
    use crate::domain::secret_policy::Secrets;
    use crate::domain::sender::Authentication;
    use crate::domain::sender::SenderProfile;
    use crate::ports::backlog_view::BacklogView;
    use crate::ports::event_queue::MockEventQueue;
    use crate::ports::event_queue::QueuedEvent;
    use crate::ports::work_watcher::MockWorkWatcher;

    const SECOND: Duration = Duration::from_secs(1);

    fn event(tag: &str) -> ImageEvent {
        ImageEvent {
            image: ImageName::parse("quay.io/a/b").unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: None,
        }
    }

    fn id(id: &str) -> DeliveryId {
        DeliveryId::new(id)
    }

    /// What nobody has to prove.
    fn verified(events: Vec<ImageEvent>) -> Verified<Vec<ImageEvent>> {
        let profile = SenderProfile {
            name: "quay.io",
            secret_name: "quay",
            title: "Quay",
            authentication: Authentication::QuerySecret,
            documentation: "",
        };
        let delivery = Delivery {
            id: id("d"),
            headers: Pairs::default(),
            query: Pairs::default(),
            body: Vec::new(),
        };
        let policy = SecretPolicy {
            require_secret: false,
        };
        let verified = policy.verify(&profile, &Secrets::default(), delivery);
        let verified = verified.unwrap();
        verified.try_map(|_| Ok::<_, ()>(events)).unwrap()
    }

    fn batch(events: &[(&str, &str)]) -> Batch {
        let queued = |(delivery, tag): &(&str, &str)| QueuedEvent {
            event: event(tag),
            delivery: id(delivery),
        };
        Batch {
            image: event("1").image,
            events: events.iter().map(queued).collect(),
        }
    }

    /// The queue, and the deliveries of which an event has ended.
    fn watched(queue: MockEventQueue) -> (WatchedQueue, Arc<Mutex<Vec<String>>>) {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let mut watcher = MockWorkWatcher::new();
        watcher
            .expect_queued()
            .with(always(), always())
            .return_const(());
        let ends = Arc::clone(&ended);
        watcher
            .expect_ended()
            .returning(move |delivery| ends.lock().unwrap().push(delivery.to_string()));
        watcher
            .expect_stepped()
            .withf(|stepped| stepped.step == Step::Queue && stepped.took == 3 * SECOND)
            .return_const(());
        let watched = WatchedQueue {
            queue: Arc::new(queue),
            arrivals: Arc::new(Arrivals::new(10)),
            watcher: Arc::new(watcher),
        };
        (watched, ended)
    }

    async fn push(queue: &WatchedQueue, delivery: &str, tags: &[&str]) {
        let events = tags.iter().map(|tag| event(tag)).collect();
        let _ = queue.push(&id(delivery), verified(events)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_known_from_their_arrival_until_they_are_done() {
        let mut queue = MockEventQueue::new();
        queue
            .expect_push()
            .returning(|_, events| Ok(vec![Placement::Added; events.get().len()]));
        let next = batch(&[("d1", "1"), ("d1", "2")]);
        queue.expect_next().return_const(next.clone());
        queue.expect_done().return_const(());
        let (queue, ended) = watched(queue);
        assert_eq!(queue.arrivals.oldest(), None);
        push(&queue, "d1", &["1", "2"]).await;
        tokio::time::advance(3 * SECOND).await;
        push(&queue, "d2", &["1"]).await;
        assert_eq!(queue.next().await, next);
        assert_eq!(queue.arrivals.events(), 3);
        assert_eq!(queue.arrivals.oldest(), Some(3 * SECOND));
        queue.done(&next).await;
        assert_eq!(queue.arrivals.events(), 1);
        assert_eq!(queue.arrivals.oldest(), Some(Duration::ZERO));
        assert_eq!(*ended.lock().unwrap(), ["d1", "d1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_superseded_waits_no_more() {
        let mut queue = MockEventQueue::new();
        queue.expect_push().returning(|delivery, events| {
            let superseded = match delivery.as_str() {
                "d1" => return Ok(vec![Placement::Added; events.get().len()]),
                "d2" => id("d1"),
                _ => delivery.clone(),
            };
            let replaced = Placement::Replaced { superseded };
            Ok([vec![Placement::Added], vec![replaced]].concat())
        });
        let (queue, ended) = watched(queue);
        push(&queue, "d1", &["2"]).await;
        push(&queue, "d2", &["1", "2"]).await;
        assert_eq!(queue.arrivals.events(), 2);
        // One delivery may say the same twice.
        push(&queue, "d3", &["5", "5"]).await;
        assert_eq!(queue.arrivals.events(), 3);
        assert!(
            queue
                .arrivals
                .age(&batch(&[("d3", "5")]).events[0])
                .is_some()
        );
        assert_eq!(*ended.lock().unwrap(), ["d1", "d3"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_queued_is_forgotten() {
        let mut queue = MockEventQueue::new();
        queue.expect_push().returning(|_, _| {
            Err(QueueError::Full {
                retry_after: SECOND,
            })
        });
        let (queue, ended) = watched(queue);
        push(&queue, "d1", &["1", "2"]).await;
        assert_eq!(queue.arrivals.events(), 0);
        assert_eq!(*ended.lock().unwrap(), ["d1", "d1"]);
    }
}
