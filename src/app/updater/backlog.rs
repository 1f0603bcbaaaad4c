//! What leads to work and waits for its turn.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::reference::ImageName;
use crate::ports::event_queue::Batch;
use crate::ports::event_queue::QueuedEvent;

/// How long an image rests after it was written, so that the rest of a burst is written once and not once each.
const SETTLE: Duration = Duration::from_secs(1);
/// The wait before the first repetition of work that failed for now; it doubles from one to the next.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest such wait.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Images that wait for their turn, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    order: VecDeque<ImageName>,
    waiting: HashMap<ImageName, Work>,
    /// When images were last written, as long as they rest.
    written: HashMap<ImageName, Instant>,
}

/// Events of one image that are to be worked on together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    /// The events, no tag twice, the latest announced last.
    pub(super) batch: Batch,
    /// How often the work has failed for now.
    pub(super) failures: u32,
    not_before: Option<Instant>,
}

impl Work {
    fn ready_at(&self, at_the_end: bool) -> Option<Instant> {
        let rests = self.failures == 0;
        self.not_before.filter(|_| !(at_the_end && rests))
    }
}

impl Backlog {
    /// Lets events wait, with those of the same image that wait already. Gives back what they supersede. Work that failed for now begins anew with
    /// them: what kept one Application from being written says nothing of the others, and the new events are not to be given up sooner.
    pub(super) fn add(&mut self, batch: Batch) -> Vec<QueuedEvent> {
        let Some(work) = self.waiting.get_mut(&batch.image) else {
            self.order.push_back(batch.image.clone());
            let not_before = self
                .written
                .get(&batch.image)
                .map(|written| *written + SETTLE);
            self.waiting.insert(
                batch.image.clone(),
                Work {
                    batch,
                    failures: 0,
                    not_before,
                },
            );
            return Vec::new();
        };
        let again = |old: &QueuedEvent| {
            batch
                .events
                .iter()
                .any(|new| new.event.tag == old.event.tag)
        };
        let (superseded, kept) = std::mem::take(&mut work.batch.events)
            .into_iter()
            .partition(again);
        work.batch.events = kept;
        work.batch.events.extend(batch.events);
        if work.failures > 0 {
            work.failures = 0;
            work.not_before = Some(Instant::now() + SETTLE);
        }
        superseded
    }

    /// When the first of those that wait may be worked on; `None` where nothing waits. At the end of the process nothing rests any more, but
    /// what failed for now still waits before it is tried again.
    pub(super) fn ready_at(&self, at_the_end: bool) -> Option<Instant> {
        let now = Instant::now();
        self.waiting
            .values()
            .map(|work| work.ready_at(at_the_end).unwrap_or(now))
            .min()
    }

    /// The one that came first of those that are ready.
    pub(super) fn first_ready(&self, at_the_end: bool) -> Option<&Work> {
        let now = Instant::now();
        let mut in_order = self
            .order
            .iter()
            .filter_map(|image| self.waiting.get(image));
        in_order.find(|work| work.ready_at(at_the_end).is_none_or(|time| time <= now))
    }

    /// Takes the one that came first of those that are ready.
    pub(super) fn take(&mut self, at_the_end: bool) -> Option<Work> {
        let image = self.first_ready(at_the_end)?.batch.image.clone();
        self.order.retain(|waiting| *waiting != image);
        self.waiting.remove(&image)
    }

    /// Takes all that wait, ready or not.
    pub(super) fn drain(&mut self) -> Vec<Work> {
        let in_order = std::mem::take(&mut self.order).into_iter();
        in_order
            .filter_map(|image| self.waiting.remove(&image))
            .collect()
    }

    /// Notes that an image was written just now.
    pub(super) fn wrote(&mut self, image: &ImageName) {
        let now = Instant::now();
        self.written.retain(|_, written| now < *written + SETTLE);
        self.written.insert(image.clone(), now);
    }

    /// Lets work that failed for now wait before it is tried again, and says how long. Newer events of its image, if any came in
    /// meanwhile, join it; what they supersede is given back as well.
    pub(super) fn again(&mut self, work: Work) -> (Duration, Vec<QueuedEvent>) {
        let wait = FIRST_RETRY
            .saturating_mul(1 << work.failures.min(16))
            .min(LONGEST_RETRY);
        let image = work.batch.image.clone();
        let newer = self.waiting.remove(&image);
        self.order.retain(|waiting| *waiting != image);
        self.order.push_front(image.clone());
        let work = Work {
            failures: work.failures + 1,
            not_before: Some(Instant::now() + wait),
            ..work
        };
        self.waiting.insert(image, work);
        let Some(newer) = newer else {
            return (wait, Vec::new());
        };
        let superseded = self.add(newer.batch);
        (SETTLE, superseded)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::event::ImageEvent;
    use crate::domain::reference::Tag;

    fn batch(image: &str, deliveries: &[(&str, &str)]) -> Batch {
        let image = ImageName::parse(image).unwrap();
        let queued = |(delivery, tag): &(&str, &str)| QueuedEvent {
            event: ImageEvent {
                image: image.clone(),
                tag: Tag::parse(tag).unwrap(),
                digest: None,
            },
            delivery: DeliveryId::new((*delivery).to_owned()),
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
                .add(batch("quay.io/a/one", &[("d1", "1"), ("d1", "2")]))
                .is_empty()
        );
        backlog.add(batch("quay.io/a/two", &[("d2", "1")]));
        let superseded = backlog.add(batch("quay.io/a/one", &[("d3", "1"), ("d3", "3")]));
        assert_eq!(superseded, batch("quay.io/a/one", &[("d1", "1")]).events);
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
    async fn an_image_rests_after_it_was_written() {
        let mut backlog = Backlog::default();
        let one = batch("quay.io/a/one", &[("d1", "1")]);
        backlog.wrote(&one.image);
        backlog.add(one.clone());
        assert!(backlog.take(false).is_none());
        backlog.add(batch("quay.io/a/two", &[("d2", "1")]));
        assert_eq!(backlog.ready_at(false), Some(Instant::now()));
        assert!(backlog.take(false).is_some(), "another image does not rest");
        assert_eq!(backlog.ready_at(false), Some(Instant::now() + SETTLE));
        tokio::time::advance(SETTLE).await;
        assert_eq!(backlog.take(false).unwrap().batch, one);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_failed_waits_longer_each_time_and_keeps_its_place() {
        let mut backlog = Backlog::default();
        backlog.add(batch("quay.io/a/one", &[("d1", "1")]));
        let mut waits = Vec::new();
        for _ in 0..8 {
            let work = backlog.take(false).unwrap();
            let wait = backlog.again(work).0;
            waits.push(wait.as_secs());
            assert!(
                backlog.take(true).is_none(),
                "not even at the end is it tried again at once"
            );
            tokio::time::advance(wait).await;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        let work = backlog.take(false).unwrap();
        backlog.add(batch("quay.io/a/two", &[("d2", "1")]));
        backlog.add(batch("quay.io/a/one", &[("d3", "1"), ("d3", "2")]));
        let (wait, superseded) = backlog.again(work);
        assert_eq!(wait, SETTLE, "newer events do not wait for older ones");
        assert_eq!(superseded, batch("quay.io/a/one", &[("d1", "1")]).events);
        assert_eq!(
            backlog.drain()[0].batch,
            batch("quay.io/a/one", &[("d3", "1"), ("d3", "2")])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn newer_events_begin_anew_what_failed() {
        let mut backlog = Backlog::default();
        backlog.add(batch("quay.io/a/one", &[("d1", "1")]));
        for _ in 0..8 {
            let work = backlog.take(false).unwrap();
            let wait = backlog.again(work).0;
            tokio::time::advance(wait).await;
        }
        let work = backlog.take(false).unwrap();
        backlog.again(work);
        backlog.add(batch("quay.io/a/one", &[("d2", "2")]));
        assert!(backlog.take(false).is_none(), "a burst is written once");
        tokio::time::advance(SETTLE).await;
        let work = backlog.take(false).unwrap();
        assert_eq!(work.failures, 0);
        let both = batch("quay.io/a/one", &[("d1", "1"), ("d2", "2")]);
        assert_eq!(work.batch, both);
    }
}
