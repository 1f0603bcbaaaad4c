//! What leads to work and waits for its turn.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::time::Duration;

use tokio::time::Instant;

use super::task::Key;
use super::task::Place;
use super::task::Superseded;
use super::task::Task;
use crate::domain::reference::ImageName;

/// How long an image rests after it was written, so that the rest of a burst is written once and not once each.
const SETTLE: Duration = Duration::from_secs(1);
/// The wait before the first repetition of work that failed for now; it doubles from one to the next.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest such wait.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Work that waits for its turn, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    order: VecDeque<Key>,
    waiting: HashMap<Key, Task>,
    /// When images were last written, as long as they rest.
    written: HashMap<ImageName, Instant>,
}

impl Task {
    fn ready_at(&self, at_the_end: bool) -> Option<Instant> {
        let rests = self.failures == 0;
        self.not_before.filter(|_| !(at_the_end && rests))
    }
}

impl Backlog {
    /// Lets work wait, with that of the same kind for the same image that waits already. Gives back what it supersedes. Work that failed for now
    /// begins anew with it: what kept one Application from being written says nothing of the others, and what is new is not to be given up
    /// sooner.
    pub(super) fn add(&mut self, task: Task) -> Vec<Superseded> {
        let key = task.key();
        let Some(waiting) = self.waiting.get_mut(&key) else {
            let written = self.written.get(&key.image);
            let rests = written.map(|written| *written + SETTLE);
            self.order.push_back(key.clone());
            let not_before = task.not_before.max(rests);
            self.waiting.insert(key, Task { not_before, ..task });
            return Vec::new();
        };
        let superseded = waiting.join(task);
        if waiting.failures > 0 {
            waiting.failures = 0;
            waiting.not_before = Some(Instant::now() + SETTLE);
        }
        superseded
    }

    /// When the first of those that wait may be worked on; `None` where nothing waits. At the end of the process nothing rests any more, but
    /// what failed for now still waits before it is tried again.
    pub(super) fn ready_at(&self, at_the_end: bool) -> Option<Instant> {
        let now = Instant::now();
        self.waiting
            .values()
            .map(|task| task.ready_at(at_the_end).unwrap_or(now))
            .min()
    }

    /// The one that came first of those that are ready.
    pub(super) fn first_ready(&self, at_the_end: bool) -> Option<&Task> {
        let now = Instant::now();
        let mut in_order = self.order.iter().filter_map(|key| self.waiting.get(key));
        in_order.find(|task| task.ready_at(at_the_end).is_none_or(|time| time <= now))
    }

    /// Takes the one that came first of those that are ready.
    pub(super) fn take(&mut self, at_the_end: bool) -> Option<Task> {
        let key = self.first_ready(at_the_end)?.key();
        self.order.retain(|waiting| *waiting != key);
        self.waiting.remove(&key)
    }

    /// Takes all that wait, ready or not.
    pub(super) fn drain(&mut self) -> Vec<Task> {
        let in_order = std::mem::take(&mut self.order).into_iter();
        in_order
            .filter_map(|key| self.waiting.remove(&key))
            .collect()
    }

    /// Notes that an image was written just now.
    pub(super) fn wrote(&mut self, image: &ImageName) {
        let now = Instant::now();
        self.written.retain(|_, written| now < *written + SETTLE);
        self.written.insert(image.clone(), now);
    }

    /// Lets work of which a part is done go on after all others that wait.
    pub(super) fn go_on(&mut self, task: Task) -> Vec<Superseded> {
        let key = task.key();
        if self.waiting.contains_key(&key) {
            return self.add(task);
        }
        self.order.push_back(key.clone());
        self.waiting.insert(key, task);
        Vec::new()
    }

    /// Lets work be the first of those that wait, or the next after those that were made so before. Newer work of its kind that waits joins it; what that supersedes is given back.
    pub(super) fn go_first(&mut self, mut task: Task) -> Vec<Superseded> {
        let key = task.key();
        let newer = self.waiting.remove(&key);
        self.order.retain(|waiting| *waiting != key);
        let place = match task.place {
            Place::Next => 0,
            Place::First | Place::Last => self.first_ones(),
        };
        self.order.insert(place, key.clone());
        let superseded = newer.map(|newer| task.join(newer)).unwrap_or_default();
        self.waiting.insert(key, task);
        superseded
    }

    /// How many stand before the others, as their turn had come.
    fn first_ones(&self) -> usize {
        let in_order = self.order.iter().filter_map(|key| self.waiting.get(key));
        in_order
            .take_while(|task| task.place != Place::Last)
            .count()
    }

    /// Lets work that could not be decided for now wait before it is tried again, and says how long. It joins older work of its kind that waits
    /// already; what it supersedes of that is given back.
    pub(super) fn later(&mut self, task: Task) -> (Duration, Vec<Superseded>) {
        if self.waiting.contains_key(&task.key()) {
            (SETTLE, self.add(task))
        } else {
            self.again(task)
        }
    }

    /// Lets work that failed for now wait before it is tried again, and says how long. Newer work of its kind, if any came in meanwhile, joins
    /// it; what that supersedes is given back as well.
    pub(super) fn again(&mut self, task: Task) -> (Duration, Vec<Superseded>) {
        let wait = FIRST_RETRY
            .saturating_mul(1 << task.failures.min(16))
            .min(LONGEST_RETRY);
        let wait = shortened(wait);
        let key = task.key();
        let newer = self.waiting.remove(&key);
        self.order.retain(|waiting| *waiting != key);
        self.order.push_front(key.clone());
        let task = Task {
            failures: task.failures + 1,
            not_before: Some(Instant::now() + wait),
            ..task
        };
        self.waiting.insert(key, task);
        let Some(newer) = newer else {
            return (wait, Vec::new());
        };
        let superseded = self.add(newer);
        (SETTLE, superseded)
    }

    /// Forgets looks at registries, for an end that does not wait for them.
    pub(super) fn drop_looks(&mut self) {
        self.order.retain(|key| !key.is_look);
        self.waiting.retain(|key, _| !key.is_look);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Up to a fifth less: what failed together, as an API server was away, does not come back together.
fn shortened(wait: Duration) -> Duration {
    // A hasher of the standard library has random keys, which is all the chance that this takes.
    let random = RandomState::new().hash_one(()) % 200;
    wait.saturating_sub(wait * u32::try_from(random).unwrap_or_default() / 1000)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::event::ImageEvent;
    use crate::domain::queue::entry::Batch;
    use crate::domain::queue::entry::EntryId;
    use crate::domain::queue::entry::QueuedEvent;
    use crate::domain::reference::Tag;

    /// The events that newer ones took the place of.
    fn events(superseded: Vec<Superseded>) -> Vec<QueuedEvent> {
        superseded.into_iter().map(|one| one.event).collect()
    }

    fn batch(image: &str, deliveries: &[(&str, &str)]) -> Batch {
        let image = ImageName::parse(image).unwrap();
        let queued = |(delivery, tag): &(&str, &str)| QueuedEvent {
            event: ImageEvent {
                image: image.clone(),
                tag: Tag::parse(tag).unwrap(),
                digest: None,
            },
            entry: EntryId(0),
            delivery: DeliveryId::new((*delivery).to_owned()),
            at: SystemTime::UNIX_EPOCH,
            trace: None,
        };
        Batch {
            events: deliveries.iter().map(queued).collect(),
            image,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn newer_events_of_an_image_join_those_that_wait() {
        let mut backlog = Backlog::default();
        assert!(
            backlog
                .add(Task::of(batch(
                    "quay.io/a/one",
                    &[("d1", "1"), ("d1", "2")]
                )))
                .is_empty()
        );
        backlog.add(Task::of(batch("quay.io/a/two", &[("d2", "1")])));
        let superseded = backlog.add(Task::of(batch(
            "quay.io/a/one",
            &[("d3", "1"), ("d3", "3")],
        )));
        assert_eq!(
            events(superseded),
            batch("quay.io/a/one", &[("d1", "1")]).events
        );
        let work = backlog.take(false).unwrap();
        assert_eq!(
            work.batch,
            batch("quay.io/a/one", &[("d1", "2"), ("d3", "1"), ("d3", "3")])
        );
        assert_eq!(
            backlog.take(false).unwrap().batch,
            batch("quay.io/a/two", &[("d2", "1")])
        );
        assert!(
            backlog.is_empty() && backlog.take(true).is_none() && backlog.ready_at(false).is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn those_whose_turn_had_come_keep_their_order() {
        let mut backlog = Backlog::default();
        backlog.add(Task::of(batch("quay.io/a/last", &[("d1", "1")])));
        for (image, place) in [
            ("quay.io/a/second", Place::First),
            ("quay.io/a/third", Place::First),
            ("quay.io/a/first", Place::Next),
        ] {
            let task = Task::of(batch(image, &[("d2", "1")]));
            backlog.go_first(Task { place, ..task });
        }
        let order = std::iter::from_fn(|| backlog.take(false));
        let order: Vec<_> = order.map(|task| task.batch.image.to_string()).collect();
        let expected = ["first", "second", "third", "last"];
        assert_eq!(order, expected.map(|name| format!("quay.io/a/{name}")));
    }

    #[tokio::test(start_paused = true)]
    async fn an_image_rests_after_it_was_written() {
        let mut backlog = Backlog::default();
        let one = batch("quay.io/a/one", &[("d1", "1")]);
        backlog.wrote(&one.image);
        backlog.add(Task::of(one.clone()));
        assert!(backlog.take(false).is_none());
        backlog.add(Task::of(batch("quay.io/a/two", &[("d2", "1")])));
        assert_eq!(backlog.ready_at(false), Some(Instant::now()));
        assert!(backlog.take(false).is_some(), "another image does not rest");
        assert_eq!(backlog.ready_at(false), Some(Instant::now() + SETTLE));
        tokio::time::advance(SETTLE).await;
        assert_eq!(backlog.take(false).unwrap().batch, one);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_failed_waits_longer_each_time_and_keeps_its_place() {
        let mut backlog = Backlog::default();
        backlog.add(Task::of(batch("quay.io/a/one", &[("d1", "1")])));
        let mut waits = Vec::new();
        for _ in 0..8 {
            let work = backlog.take(false).unwrap();
            let wait = backlog.again(work).0;
            waits.push(wait);
            assert!(
                backlog.take(true).is_none(),
                "not even at the end is it tried again at once"
            );
            tokio::time::advance(wait).await;
        }
        for (wait, longest) in waits.into_iter().zip([1, 2, 4, 8, 16, 32, 60, 60]) {
            let longest = Duration::from_secs(longest);
            assert!((longest * 4 / 5..=longest).contains(&wait), "{wait:?}");
        }
        let work = backlog.take(false).unwrap();
        backlog.add(Task::of(batch("quay.io/a/two", &[("d2", "1")])));
        backlog.add(Task::of(batch(
            "quay.io/a/one",
            &[("d3", "1"), ("d3", "2")],
        )));
        let (wait, superseded) = backlog.again(work);
        assert_eq!(wait, SETTLE, "newer events do not wait for older ones");
        assert_eq!(
            events(superseded),
            batch("quay.io/a/one", &[("d1", "1")]).events
        );
        assert_eq!(
            backlog.drain()[0].batch,
            batch("quay.io/a/one", &[("d3", "1"), ("d3", "2")])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn newer_events_begin_anew_what_failed() {
        let mut backlog = Backlog::default();
        backlog.add(Task::of(batch("quay.io/a/one", &[("d1", "1")])));
        for _ in 0..8 {
            let work = backlog.take(false).unwrap();
            let wait = backlog.again(work).0;
            tokio::time::advance(wait).await;
        }
        let work = backlog.take(false).unwrap();
        backlog.again(work);
        backlog.add(Task::of(batch("quay.io/a/one", &[("d2", "2")])));
        assert!(backlog.take(false).is_none(), "a burst is written once");
        tokio::time::advance(SETTLE).await;
        let work = backlog.take(false).unwrap();
        assert_eq!(work.failures, 0);
        let both = batch("quay.io/a/one", &[("d1", "1"), ("d2", "2")]);
        assert_eq!(work.batch, both);
    }
}
