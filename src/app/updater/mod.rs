//! The way of an event from the queue into the Applications it concerns.
//!
//! What the queue gives is judged at once. Most events end there, and cost no more than a look into the index. What leads to work waits for
//! its turn, first come, first served, at the rate that is set. While an image waits, newer events for it join in; when its turn comes,
//! all of them are judged together on what is known then. While not everything is known, nothing is taken from the queue and nothing judged:
//! an event that is judged on old knowledge may be lost.

mod backlog;
mod currency;
mod report;
mod work;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use tokio::sync::watch;
use tokio::time::sleep_until;

use self::backlog::Backlog;
use self::currency::Currency;
use crate::app::status::Reporter;
use crate::domain::resources::Resources;
use crate::domain::tracking::index::Index;
use crate::ports::event_queue::Batch;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::QueuedEvent;
use crate::ports::pace::Pace;
use crate::ports::registry_client::RegistryClient;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::update_trigger::UpdateTrigger;

/// What the updater works with.
pub struct Ports {
    /// What was accepted.
    pub queue: Arc<dyn EventQueue>,
    /// ImageUpdaters and Applications.
    pub reader: Arc<dyn ResourceReader>,
    /// Writes changes. Without one it is a dry run: the log says what would change.
    pub trigger: Option<Arc<dyn UpdateTrigger>>,
    /// When the next event that leads to work may be worked on.
    pub pace: Arc<dyn Pace>,
    /// Asked for what an event does not tell. Without one, an image that needs it is left alone.
    pub registry: Option<Arc<dyn RegistryClient>>,
}

/// Works on what the queue holds, one image at a time.
pub struct Updater {
    ports: Ports,
    known: Mutex<Known>,
    backlog: Mutex<Backlog>,
    in_work: Mutex<Option<Batch>>,
    currency: Mutex<Currency>,
    reporter: Option<Reporter>,
}

/// What is to be done next.
enum Step {
    /// The queue has given this.
    Examine(Batch),
    /// It is the turn of the first that waits.
    Work,
}

/// What was seen at the last look.
struct Known {
    /// Which Applications track which image.
    index: Index,
    /// Of what the index was made.
    resources: Arc<Resources>,
}

impl Updater {
    /// An updater that knows no Application yet.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            known: Mutex::new(Known {
                index: Index::new(),
                resources: Arc::default(),
            }),
            backlog: Mutex::default(),
            in_work: Mutex::default(),
            currency: Mutex::default(),
            reporter: None,
        }
    }

    /// Has the cluster told what is done.
    #[must_use]
    pub fn reporting_to(self, reporter: Reporter) -> Self {
        let reporter = Some(reporter);
        Self { reporter, ..self }
    }

    /// Works until `closing` turns true, and then until nothing waits any more.
    pub async fn run(&self, closing: watch::Receiver<bool>) {
        match &self.reporter {
            Some(reporter) => reporter.beside(self.work(closing)).await,
            None => self.work(closing).await,
        }
    }

    async fn work(&self, mut closing: watch::Receiver<bool>) {
        self.refresh();
        while !*closing.borrow() {
            let is_current = self.is_current();
            let step = tokio::select! {
                biased;
                closed = closing.changed() => if closed.is_err() { break } else { continue },
                () = self.ports.reader.changed() => {
                    self.refresh();
                    continue;
                }
                step = self.next_step(), if is_current => step,
            };
            match step {
                Step::Examine(batch) => self.examine(batch).await,
                Step::Work => self.work_on_next(false).await,
            }
        }
        self.finish().await;
    }

    /// Waits for the next batch or for the turn of what waits. It may be given up at any time.
    async fn next_step(&self) -> Step {
        tokio::select! {
            batch = self.ports.queue.next() => Step::Examine(batch),
            () = self.turn(false) => Step::Work,
        }
    }

    /// Works until nothing waits.
    async fn finish(&self) {
        loop {
            self.finish_when_current().await;
            tokio::select! {
                biased;
                batch = self.ports.queue.next() => self.examine(batch).await,
                () = std::future::ready(()), if lock(&self.backlog).is_empty() => return,
                () = self.ports.reader.changed() => self.refresh(),
                () = self.turn(true) => self.work_on_next(true).await,
            }
        }
    }

    /// Waits until everything is known, if anything is left to do then. What waits in the queue can only be seen by taking it; it counts as
    /// being in work meanwhile.
    async fn finish_when_current(&self) {
        if self.is_current() {
            return;
        }
        let taken = self.waiting();
        if taken.is_none() && lock(&self.backlog).is_empty() {
            return;
        }
        lock(&self.in_work).clone_from(&taken);
        while !self.is_current() {
            self.ports.reader.changed().await;
        }
        lock(&self.in_work).take();
        if let Some(batch) = taken {
            self.examine(batch).await;
        }
    }

    /// Whether everything is known, so that decisions can be made.
    fn is_current(&self) -> bool {
        let is_current = self.ports.reader.is_current();
        if let Some(turn) = lock(&self.currency).turn(is_current) {
            report::turn(turn);
        }
        is_current
    }

    /// Names in the log what is not done, for a process that cannot wait for it, and says how many images that are.
    pub fn leave(&self) -> usize {
        let mut left = self.unfinished();
        left.extend(std::iter::from_fn(|| self.waiting()));
        left.iter().for_each(report::left_over);
        left.len()
    }

    /// What the queue has given and is not done.
    fn unfinished(&self) -> Vec<Batch> {
        let in_work = lock(&self.in_work).take();
        let waiting = lock(&self.backlog)
            .drain()
            .into_iter()
            .map(|work| work.batch);
        in_work.into_iter().chain(waiting).collect()
    }

    /// Brings the index up to date, if anything changed, and tells of new problems.
    fn refresh(&self) {
        let resources = self.ports.reader.current();
        let mut known = lock(&self.known);
        if Arc::ptr_eq(&known.resources, &resources) {
            return;
        }
        let problems = known.index.refresh(&resources);
        report::resources(&resources);
        problems.iter().for_each(report::problem);
        known.resources = resources;
        let touched = known.index.take_touched();
        let Some(reporter) = &self.reporter else {
            return;
        };
        for updater in touched {
            reporter.assessed(&updater, known.index.assess(&updater));
        }
        reporter.looked(&known.resources);
    }

    /// Waits until the first that waits may be worked on, and takes a turn for it if it leads to work that no turn was taken for; for ever where
    /// nothing waits.
    async fn turn(&self, at_the_end: bool) {
        let ready_at = lock(&self.backlog).ready_at(at_the_end);
        match ready_at {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
        if self.needs_turn(at_the_end) {
            self.ports.pace.turn().await;
        }
    }

    fn needs_turn(&self, at_the_end: bool) -> bool {
        let backlog = lock(&self.backlog);
        let first = backlog.first_ready(at_the_end);
        first.is_some_and(|work| work.failures == 0 && !self.judge(&work.batch).changes.is_empty())
    }

    /// What the queue gives without waiting.
    fn waiting(&self) -> Option<Batch> {
        let mut next = self.ports.queue.next();
        match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(batch) => Some(batch),
            Poll::Pending => None,
        }
    }

    /// Ends the way of events that newer ones took the place of.
    async fn end_superseded(&self, events: Vec<QueuedEvent>) {
        events.iter().for_each(report::superseded);
        if let Some(first) = events.first() {
            let image = first.event.image.clone();
            self.ports.queue.done(&Batch { image, events }).await;
        }
    }
}

/// Nothing in here panics while it holds a lock half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod currency_tests;
#[cfg(test)]
mod tests;
