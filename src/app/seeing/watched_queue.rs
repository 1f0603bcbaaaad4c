//! A queue that is watched.

use std::convert::Infallible;
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::Fate;
use crate::domain::secret_policy::Verified;
use crate::ports::backlog_view::BacklogView;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// Any queue, of which it is told when events come and how long they wait.
pub struct WatchedQueue {
    /// The queue.
    pub queue: Arc<dyn EventQueue>,
    /// Is told.
    pub watcher: Arc<dyn WorkWatcher>,
    /// How many events may wait.
    pub capacity: usize,
}

/// How long ago something was. Where the clock was set back meanwhile it was just now.
pub(in crate::app) fn ago(at: SystemTime) -> Duration {
    at.elapsed().unwrap_or_default()
}

#[async_trait]
impl EventQueue for WatchedQueue {
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError> {
        let trace = self.watcher.accepted(&accepted.get().delivery);
        let traced = accepted.try_map(|accepted| {
            let trace = trace.or(accepted.trace);
            Ok::<_, Infallible>(Accepted { trace, ..accepted })
        });
        let Ok(accepted) = traced;
        self.queue.push(accepted).await
    }

    async fn next(&self) -> Batch {
        let batch = self.queue.next().await;
        for queued in &batch.events {
            self.watcher.stepped(Stepped {
                step: Step::Queue,
                image: &batch.image,
                events: slice::from_ref(queued),
                took: ago(queued.at),
                failed: false,
            });
        }
        batch
    }

    fn is_kept(&self, batch: &Batch) -> bool {
        self.queue.is_kept(batch)
    }

    async fn done(&self, batch: &Batch, fate: &Fate) {
        self.queue.done(batch, fate).await;
    }

    fn load(&self) -> Load {
        self.queue.load()
    }
}

impl BacklogView for WatchedQueue {
    fn events(&self) -> usize {
        self.queue.load().open
    }

    fn oldest(&self) -> Option<Duration> {
        self.queue.load().oldest.map(ago)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::domain::delivery::Delivery;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::delivery::TraceParent;
    use crate::domain::event::ImageEvent;
    use crate::domain::pairs::Pairs;
    use crate::domain::queue::entry::EntryId;
    use crate::domain::queue::entry::QueuedEvent;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::secret_policy::SecretPolicy;
    use crate::domain::secret_policy::Secrets;
    use crate::domain::sender::Authentication;
    use crate::domain::sender::SenderProfile;
    use crate::ports::event_queue::MockEventQueue;
    use crate::ports::event_queue::Placement;
    use crate::ports::work_watcher::MockWorkWatcher;

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
    fn verified(delivery: &str, tags: &[&str]) -> Verified<Accepted> {
        let accepted = Accepted {
            delivery: id(delivery),
            sender: "quay.io".to_owned(),
            key: None,
            at: SystemTime::now(),
            trace: None,
            events: tags.iter().map(|tag| event(tag)).collect(),
        };
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
        verified.try_map(|_| Ok::<_, ()>(accepted)).unwrap()
    }

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// The queue, and how long events have waited, in minutes.
    fn watched(queue: MockEventQueue) -> (WatchedQueue, Arc<Mutex<Vec<u64>>>) {
        let waited: Arc<Mutex<Vec<u64>>> = Arc::default();
        let mut watcher = MockWorkWatcher::new();
        watcher
            .expect_accepted()
            .withf(|delivery| delivery.as_str() == "d1")
            .returning(|_| TraceParent::parse(TRACE));
        let told = Arc::clone(&waited);
        watcher.expect_stepped().returning(move |step| {
            assert_eq!((step.step, step.failed), (Step::Queue, false));
            told.lock().unwrap().push(step.took.as_secs() / 60);
        });
        let watched = WatchedQueue {
            queue: Arc::new(queue),
            watcher: Arc::new(watcher),
            capacity: 10,
        };
        (watched, waited)
    }

    #[tokio::test]
    async fn a_delivery_gets_its_part_of_a_trace_and_its_events_are_told_of() {
        let mut queue = MockEventQueue::new();
        queue.expect_push().returning(|accepted| {
            let Accepted { events, trace, .. } = accepted.get();
            assert_eq!(*trace, TraceParent::parse(TRACE));
            Ok(Pushed::Queued(vec![Placement::Added; events.len()]))
        });
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let next = Batch {
            image: event("1").image,
            events: vec![QueuedEvent {
                entry: EntryId(1),
                event: event("1"),
                delivery: id("d1"),
                at: hour_ago,
                trace: None,
            }],
        };
        queue.expect_next().return_const(next.clone());
        queue.expect_load().return_const(Load {
            open: 3,
            oldest: Some(hour_ago),
        });
        let (queue, waited) = watched(queue);
        queue.push(verified("d1", &["1", "2"])).await.unwrap();
        assert_eq!(queue.next().await, next);
        assert_eq!(*waited.lock().unwrap(), [60]);
        assert_eq!((queue.events(), queue.capacity()), (3, 10));
        assert_eq!(queue.oldest().unwrap().as_secs() / 60, 60);
    }
}
