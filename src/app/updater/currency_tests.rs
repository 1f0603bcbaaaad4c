//! The updater while not everything is known.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::tests::batch;
use super::tests::resources;
use super::tests::terms;
use super::*;
use crate::domain::queue::accepted::Accepted;
use crate::domain::resources::Resources;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;
use crate::ports::pace::MockPace;
use crate::ports::update_trigger::MockUpdateTrigger;
use crate::ports::update_trigger::TriggerError;

/// Resources that may be old.
struct Reader {
    resources: Arc<Resources>,
    is_current: watch::Sender<bool>,
    told: tokio::sync::Mutex<watch::Receiver<bool>>,
}

#[async_trait]
impl ResourceReader for Reader {
    fn current(&self) -> Arc<Resources> {
        Arc::clone(&self.resources)
    }

    fn is_current(&self) -> bool {
        *self.is_current.borrow()
    }

    async fn changed(&self) {
        self.told.lock().await.changed().await.unwrap();
    }
}

/// Batches that wait. Nothing comes after them.
struct Queue(Mutex<VecDeque<Batch>>);

#[async_trait]
impl EventQueue for Queue {
    async fn push(&self, _: Verified<Accepted>) -> Result<Pushed, QueueError> {
        unreachable!("nobody delivers")
    }

    async fn next(&self) -> Batch {
        poll_fn(|_| match self.0.lock().unwrap().pop_front() {
            Some(batch) => Poll::Ready(batch),
            None => Poll::Pending,
        })
        .await
    }

    fn is_kept(&self, _: &Batch) -> bool {
        true
    }

    async fn done(&self, _: &Batch, _: &Fate) {}

    fn load(&self) -> Load {
        Load::default()
    }
}

struct World {
    updater: Arc<Updater>,
    reader: Arc<Reader>,
    queue: Arc<Queue>,
    close: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl World {
    /// An updater that runs, for which an event of `quay.io/a/b:1.6.0` waits, which `web` is to follow.
    fn new(is_current: bool, trigger: MockUpdateTrigger) -> Self {
        let (is_current, told) = watch::channel(is_current);
        let reader = Arc::new(Reader {
            resources: resources("quay.io/a/b:1.5.0", "quay.io/a/b:^1", "semver"),
            is_current,
            told: tokio::sync::Mutex::new(told),
        });
        let waiting = VecDeque::from([batch(&["quay.io/a/b:1.6.0"])]);
        let queue = Arc::new(Queue(Mutex::new(waiting)));
        let mut pace = MockPace::new();
        pace.expect_turn().return_const(());
        let updater = Arc::new(Updater::new(
            Ports {
                queue: Arc::clone(&queue) as _,
                reader: Arc::clone(&reader) as _,
                trigger: Some(Arc::new(trigger)),
                pace: Arc::new(pace),
                spread: None,
                registry: None,
            },
            terms(Confirm::Event),
        ));
        let (close, closing) = watch::channel(false);
        let working = Arc::clone(&updater);
        let running = tokio::spawn(async move { working.run(closing).await });
        Self {
            updater,
            reader,
            queue,
            close,
            running,
        }
    }

    /// Whether the updater ends by itself within an hour.
    async fn ends(&mut self) -> bool {
        let hour = Duration::from_secs(3600);
        timeout(hour, &mut self.running).await.is_ok()
    }
}

fn unused() -> MockUpdateTrigger {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().never();
    trigger
}

fn used_once() -> MockUpdateTrigger {
    let mut trigger = MockUpdateTrigger::new();
    let all_well = |changes: &[_]| vec![Ok(()); changes.len()];
    trigger.expect_apply().once().returning(all_well);
    trigger
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_the_queue_while_not_everything_is_known() {
    let mut world = World::new(false, used_once());
    assert!(!world.ends().await);
    assert_eq!(world.queue.0.lock().unwrap().len(), 1);
    world.reader.is_current.send_replace(true);
    assert!(!world.ends().await);
    assert_eq!(world.queue.0.lock().unwrap().len(), 0);
    world.close.send_replace(true);
    assert!(world.ends().await);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_is_not_judged_on_old_knowledge() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|_| {
        let reason = "the server is away".to_owned();
        vec![Err(TriggerError::Unavailable { reason })]
    });
    let mut world = World::new(true, trigger);
    let short = Duration::from_millis(100);
    assert!(timeout(short, &mut world.running).await.is_err());
    // It was tried once and rests. Its time comes while the knowledge is old.
    world.reader.is_current.send_replace(false);
    assert!(!world.ends().await);
    assert!(!world.updater.unfinished().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_knowledge_if_there_is_work_left() {
    let mut world = World::new(false, used_once());
    world.close.send_replace(true);
    assert!(!world.ends().await);
    world.reader.is_current.send_replace(true);
    assert!(world.ends().await);
    assert_eq!(world.updater.leave(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_names_what_waits_for_knowledge() {
    let mut world = World::new(false, unused());
    let more = batch(&["quay.io/a/c:1.0.0"]);
    world.queue.0.lock().unwrap().push_back(more);
    world.close.send_replace(true);
    assert!(!world.ends().await);
    world.running.abort();
    assert_eq!(world.updater.leave(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_no_knowledge_that_nobody_needs() {
    let mut world = World::new(false, unused());
    world.queue.0.lock().unwrap().clear();
    world.close.send_replace(true);
    assert!(world.ends().await);
}

#[tokio::test(start_paused = true)]
async fn what_moved_is_not_judged_again_at_once_on_old_knowledge() {
    let mut trigger = MockUpdateTrigger::new();
    trigger.expect_apply().once().returning(|_| {
        let reason = "somebody else wrote".to_owned();
        vec![Err(TriggerError::Moved { reason })]
    });
    let world = World::new(false, trigger);
    world.updater.refresh();
    world.updater.examine(batch(&["quay.io/a/b:1.6.0"])).await;
    world.updater.work_on_next(false).await;
    assert_eq!(world.updater.unfinished().len(), 1);
}
