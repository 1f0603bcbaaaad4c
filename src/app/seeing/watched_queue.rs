//! A queue that is watched.

use std::slice;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::Fate;
use crate::domain::secret_policy::Verified;
use crate::ports::backlog_view::BacklogView;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Placement;
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

/// Events on their way into the queue. Those of which it is not known in the end that they are there have ended.
struct Pushing<'a> {
    watcher: &'a dyn WorkWatcher,
    delivery: DeliveryId,
    events: usize,
}

impl Drop for Pushing<'_> {
    fn drop(&mut self) {
        for _ in 0..self.events {
            self.watcher.ended(&self.delivery);
        }
    }
}

/// How long ago something was. Where the clock was set back meanwhile it was just now.
pub(in crate::app) fn ago(at: SystemTime) -> Duration {
    at.elapsed().unwrap_or_default()
}

#[async_trait]
impl EventQueue for WatchedQueue {
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError> {
        let Accepted {
            delivery, events, ..
        } = accepted.get();
        let mut pushing = Pushing {
            watcher: &*self.watcher,
            delivery: delivery.clone(),
            events: events.len(),
        };
        // Before they are queued, as they may be done in the same moment.
        self.watcher.queued(delivery, events.len());
        let pushed = self.queue.push(accepted).await?;
        if let Pushed::Queued(placements) = &pushed {
            pushing.events = 0;
            for placement in placements {
                if let Placement::Replaced { superseded } = placement {
                    self.watcher.ended(superseded);
                }
            }
        }
        Ok(pushed)
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
        for queued in &batch.events {
            self.watcher.ended(&queued.delivery);
        }
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

    /// The queue, and what is told of deliveries.
    fn watched(queue: MockEventQueue) -> (WatchedQueue, Arc<Mutex<Vec<String>>>) {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let tell = || {
            let told = Arc::clone(&told);
            move |text: String| told.lock().unwrap().push(text)
        };
        let mut watcher = MockWorkWatcher::new();
        let queued = tell();
        watcher
            .expect_queued()
            .returning(move |delivery, events| queued(format!("{delivery} +{events}")));
        let ended = tell();
        watcher
            .expect_ended()
            .returning(move |delivery| ended(format!("{delivery} -1")));
        let stepped = tell();
        watcher.expect_stepped().returning(move |step| {
            assert_eq!((step.step, step.failed), (Step::Queue, false));
            stepped(format!("waited {}", step.took.as_secs() / 60));
        });
        let watched = WatchedQueue {
            queue: Arc::new(queue),
            watcher: Arc::new(watcher),
            capacity: 10,
        };
        (watched, told)
    }

    #[tokio::test]
    async fn events_are_told_of_from_their_arrival_until_they_are_done() {
        let mut queue = MockEventQueue::new();
        queue.expect_push().returning(|accepted| {
            let events = accepted.get().events.len();
            Ok(Pushed::Queued(vec![Placement::Added; events]))
        });
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let next = Batch {
            image: event("1").image,
            events: vec![QueuedEvent {
                entry: EntryId(1),
                event: event("1"),
                delivery: id("d1"),
                at: hour_ago,
            }],
        };
        queue.expect_next().return_const(next.clone());
        queue.expect_done().return_const(());
        queue.expect_load().return_const(Load {
            open: 3,
            oldest: Some(hour_ago),
        });
        let (queue, told) = watched(queue);
        queue.push(verified("d1", &["1", "2"])).await.unwrap();
        assert_eq!(queue.next().await, next);
        queue.done(&next, &Fate::Worked(Vec::new())).await;
        assert_eq!(*told.lock().unwrap(), ["d1 +2", "waited 60", "d1 -1"]);
        assert_eq!((queue.events(), queue.capacity()), (3, 10));
        assert_eq!(queue.oldest().unwrap().as_secs() / 60, 60);
    }

    #[tokio::test]
    async fn what_is_superseded_or_not_queued_has_ended() {
        let mut queue = MockEventQueue::new();
        queue.expect_push().returning(|accepted| {
            let superseded = id("d1");
            match accepted.get().delivery.as_str() {
                "d2" => Ok(Pushed::Queued(vec![
                    Placement::Added,
                    Placement::Replaced { superseded },
                ])),
                "d3" => Ok(Pushed::Duplicate(superseded)),
                _ => Err(QueueError::Full {
                    retry_after: Duration::from_secs(1),
                }),
            }
        });
        let (queue, told) = watched(queue);
        for delivery in ["d2", "d3", "d4"] {
            let _ = queue.push(verified(delivery, &["1", "2"])).await;
        }
        let expected = [
            "d2 +2", "d1 -1", "d3 +2", "d3 -1", "d3 -1", "d4 +2", "d4 -1", "d4 -1",
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
