//! The way of an event from the queue into the Applications it concerns.
//!
//! What the queue gives is judged at once. Most events end there, and cost no more than a look into the index. What leads to work waits for
//! its turn, first come, first served, at the rate that is set. While an image waits, newer events for it join in; when its turn comes,
//! all of them are judged together on what is known then. While not everything is known, nothing is taken from the queue and nothing judged:
//! an event that is judged on old knowledge may be lost.
//!
//! Where registries are asked, that goes on beside all this: an image whose questions are open holds up no other. Looks at registries, which
//! whoever polls asks for, go the same way, so that an Application is never worked on for two reasons at once.

mod asking;
mod backlog;
mod changing;
mod currency;
mod edits;
mod knowing;
mod registry;
mod report;
mod task;
mod watching;
mod work;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use tokio::sync::watch;
use tokio::time::sleep_until;

use self::asking::Asking;
use self::asking::Incoming;
use self::backlog::Backlog;
use self::currency::Currency;
use self::edits::Edits;
use self::knowing::Known;
pub use self::registry::Registry;
pub use self::task::Looked;
use self::task::Place;
use self::task::Superseded;
use self::watching::Watching;
use crate::app::settings::Confirm;
use crate::app::status::Reporter;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::Fate;
use crate::domain::registry::credential_source::CredentialKind;
use crate::domain::registry::endpoint::Registries;
use crate::ports::event_queue::EventQueue;
use crate::ports::pace::Pace;
use crate::ports::resource_reader::ResourceReader;
use crate::ports::update_trigger::UpdateTrigger;
use crate::ports::work_watcher::WorkWatcher;

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
    /// When the next Application may be changed, for whatever reason; `None`: at once. With it one after the other is.
    pub spread: Option<Arc<dyn Pace>>,
    /// Asked for what is not known. Without it events are believed, and what they do not tell stays undecided.
    pub registry: Option<Arc<Registry>>,
}

/// What decisions rest on.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What an event leads to.
    pub confirm: Confirm,
    /// Whether no version is ever lowered.
    pub never_downgrade: bool,
    /// The kinds of credentials that images may name.
    pub credential_kinds: Vec<CredentialKind>,
    /// The registries that are described, one of which has names without one; `None`: Docker Hub does.
    pub registries: Option<watch::Receiver<Arc<Registries>>>,
    /// Whether the queue gives what is not done again after the next start.
    pub is_durable: bool,
}

/// Works on what the queue holds and on what is to be looked at, one image at a time.
pub struct Updater {
    ports: Ports,
    terms: Terms,
    known: Mutex<Known>,
    backlog: Mutex<Backlog>,
    in_work: Mutex<Option<Batch>>,
    asking: Asking,
    edits: Edits,
    currency: Mutex<Currency>,
    reporter: Option<Reporter>,
    watching: Watching,
    /// Whether the process ends.
    is_closing: AtomicBool,
}

/// What is to be done next.
enum Step {
    /// The queue has given this.
    Examine(Batch),
    /// Somebody asks for a look, or registries have answered.
    Incoming(Incoming),
    /// It is the turn of the first that waits.
    Work,
}

impl Updater {
    /// An updater that knows no Application yet.
    #[must_use]
    pub fn new(ports: Ports, terms: Terms) -> Self {
        Self {
            ports,
            terms,
            known: Mutex::default(),
            backlog: Mutex::default(),
            in_work: Mutex::default(),
            asking: Asking::default(),
            edits: Edits::default(),
            currency: Mutex::default(),
            reporter: None,
            watching: Watching::default(),
            is_closing: AtomicBool::new(false),
        }
    }

    /// Has the cluster told what is done.
    #[must_use]
    pub fn reporting_to(self, reporter: Reporter) -> Self {
        let reporter = Some(reporter);
        Self { reporter, ..self }
    }

    /// Has somebody watch what is done.
    #[must_use]
    pub fn watched_by(self, watcher: Arc<dyn WorkWatcher>) -> Self {
        let watching = Watching::new(watcher);
        Self { watching, ..self }
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
                Step::Incoming(incoming) => self.take_in(incoming).await,
                Step::Work => self.work_on_next(false).await,
            }
        }
        self.finish().await;
    }

    /// Waits for the next batch or for the turn of what waits. It may be given up at any time.
    async fn next_step(&self) -> Step {
        tokio::select! {
            batch = self.ports.queue.next() => Step::Examine(batch),
            incoming = self.asking.next() => Step::Incoming(incoming),
            () = self.turn(false) => Step::Work,
        }
    }

    /// Works until nothing waits, or, where what waits is given again after the next start, until nothing can be done at once. Whoever looks at
    /// registries does so again after the next start.
    async fn finish(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.give_up_looks();
        let may_leave = self.terms.is_durable;
        loop {
            if may_leave && !self.is_current() {
                return;
            }
            self.finish_when_current().await;
            tokio::select! {
                biased;
                batch = self.ports.queue.next() => self.examine(batch).await,
                () = std::future::ready(()), if self.is_idle() => return,
                incoming = self.asking.next() => self.take_in(incoming).await,
                () = self.ports.reader.changed() => self.refresh(),
                () = self.turn(true) => self.work_on_next(true).await,
                () = std::future::ready(()), if may_leave => return,
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
        if taken.is_none() && self.is_idle() {
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

    /// Whether what is not done now never will be: the process ends, and nobody gives it again after the next start.
    fn is_last_chance(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed) && !self.terms.is_durable
    }

    fn is_idle(&self) -> bool {
        lock(&self.backlog).is_empty() && !self.asking.has_events()
    }

    /// Whether everything is known, so that decisions can be made.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let is_current = self.ports.reader.is_current();
        if let Some(turn) = lock(&self.currency).turn(is_current) {
            report::turn(turn);
        }
        is_current
    }

    /// Says how many images are not done, for a process that does not wait for them, and names them in the log where they are lost with it.
    pub fn leave(&self) -> usize {
        let mut left = self.unfinished();
        left.extend(std::iter::from_fn(|| self.waiting()));
        if !self.terms.is_durable {
            for batch in &left {
                report::left_over(&self.watching, batch);
            }
        }
        left.len()
    }

    /// What the queue has given and is not done.
    fn unfinished(&self) -> Vec<Batch> {
        let in_work = lock(&self.in_work).take();
        let waiting = lock(&self.backlog).drain();
        let waiting = waiting.into_iter().chain(self.asking.drain());
        let batches = in_work.into_iter().chain(waiting.map(|task| task.batch));
        batches.filter(|batch| !batch.events.is_empty()).collect()
    }

    /// Waits until the first that waits may be worked on, and takes a turn for it if it leads to work that no turn was taken for; for ever where
    /// nothing waits.
    async fn turn(&self, at_the_end: bool) {
        let ready_at = lock(&self.backlog).ready_at(at_the_end);
        match ready_at {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
        let (is_change, is_paced) = self.needs_turn(at_the_end);
        if let Some(spread) = self.ports.spread.as_ref().filter(|_| is_change) {
            spread.turn().await;
        }
        if is_paced {
            self.ports.pace.turn().await;
        }
    }

    /// Whether what waits first changes something, and whether it has to take an event's turn for that.
    fn needs_turn(&self, at_the_end: bool) -> (bool, bool) {
        let backlog = lock(&self.backlog);
        let first = backlog.first_ready(at_the_end);
        let Some(task) = first.filter(|task| !self.judge(task).changes.is_empty()) else {
            return (false, false);
        };
        if task.place == Place::Next {
            return (false, false);
        }
        (true, !task.has_turn && !task.is_look())
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
    async fn end_superseded(&self, superseded: Vec<Superseded>) {
        for Superseded { event, by } in superseded {
            report::superseded(&event, &by);
            let batch = Batch {
                image: event.event.image.clone(),
                events: vec![event],
            };
            self.ports.queue.done(&batch, &Fate::Superseded(by)).await;
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
mod ending_tests;
#[cfg(test)]
mod giving_up_tests;
#[cfg(test)]
mod overtaking_tests;
#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod spread_tests;
#[cfg(test)]
pub(in crate::app) mod tests;
#[cfg(test)]
mod watching_tests;
