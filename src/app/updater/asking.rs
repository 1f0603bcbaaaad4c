//! What is being asked of registries, and what comes back.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Mutex;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::lock;
use super::registry::Learned;
use super::registry::Questions;
use super::registry::Registry;
use super::registry::unanswered;
use super::task::Key;
use super::task::Looked;
use super::task::Superseded;
use super::task::Task;
use crate::domain::reference::ImageName;

/// Work whose questions are open, and the way by which others reach the updater.
pub(super) struct Asking {
    open: Mutex<HashMap<Key, Open>>,
    send: mpsc::UnboundedSender<Incoming>,
    receive: tokio::sync::Mutex<mpsc::UnboundedReceiver<Incoming>>,
}

struct Open {
    task: Task,
    /// What came in since, and waits until it has its answers: were it asked anew for each, a registry that is slower than the pushes of an
    /// image would keep it from ever being decided.
    newer: Option<Task>,
    /// Ends the asking.
    asked: AbortHandle,
}

impl Open {
    /// Lets older work, whose turn it is, go on with what is asked for. What kept it from being done is no reason to give up the newer one sooner.
    fn join_older(&mut self, older: Task) -> Vec<Superseded> {
        let newer = std::mem::replace(&mut self.task, older);
        self.task.failures = 0;
        self.task.join(newer)
    }
}

/// What comes in, besides events.
pub(super) enum Incoming {
    /// Somebody asks for a look at the registry of an image.
    Look {
        image: ImageName,
        waiting: oneshot::Sender<Looked>,
    },
    /// Registries have answered.
    Answers {
        key: Key,
        learned: Learned,
        at: Instant,
    },
}

impl Default for Asking {
    fn default() -> Self {
        let (send, receive) = mpsc::unbounded_channel();
        Self {
            open: Mutex::default(),
            send,
            receive: tokio::sync::Mutex::new(receive),
        }
    }
}

impl Asking {
    /// Waits for what comes in. It may be given up at any time.
    pub(super) async fn next(&self) -> Incoming {
        match self.receive.lock().await.recv().await {
            Some(incoming) => incoming,
            // Never: this holds a sender.
            None => std::future::pending().await,
        }
    }

    /// Asks for a look at the registry of an image; the answer comes when it is done, or not at all where the process ends before.
    pub(super) fn look(&self, image: ImageName) -> oneshot::Receiver<Looked> {
        let (waiting, looked) = oneshot::channel();
        // The receiver lives as long as this.
        let _ = self.send.send(Incoming::Look { image, waiting });
        looked
    }

    /// Has work wait for answers. Where newer work of its kind is asked for already, both wait for that together, and what it leaves open of
    /// either is asked then; what is superseded by that is given back.
    #[must_use]
    pub(super) fn begin(
        &self,
        task: Task,
        questions: Questions,
        registry: &Arc<Registry>,
    ) -> Vec<Superseded> {
        let (key, batch) = (task.key(), task.batch.clone());
        let (registry, send, to) = (Arc::clone(registry), self.send.clone(), key.clone());
        // Locked until it is in: the answers may be there at once.
        let mut open = lock(&self.open);
        if let Some(asked) = open.get_mut(&key) {
            return asked.join_older(task);
        }
        let asking = tokio::spawn(async move {
            let asked = questions.clone();
            // A panic in there is a bug, and must not leave the image waiting for ever.
            let answers = AssertUnwindSafe(registry.answers(questions, &batch)).catch_unwind();
            let learned = answers.await.unwrap_or_else(|_| unanswered(asked));
            // Nobody is there any more where the process ends.
            let _ = send.send(Incoming::Answers {
                key: to,
                learned,
                at: Instant::now(),
            });
        });
        let one = Open {
            task,
            newer: None,
            asked: asking.abort_handle(),
        };
        open.insert(key, one);
        Vec::new()
    }

    /// Whether work is being asked for.
    pub(super) fn is_open(&self, key: &Key) -> bool {
        lock(&self.open).contains_key(key)
    }

    /// Lets newer work wait behind what is being asked for, and gives back what it supersedes of what waits there already.
    pub(super) fn follow(&self, task: Task) -> Vec<Superseded> {
        let mut open = lock(&self.open);
        let Some(open) = open.get_mut(&task.key()) else {
            return Vec::new();
        };
        if let Some(newer) = &mut open.newer {
            return newer.join(task);
        }
        open.newer = Some(task);
        Vec::new()
    }

    /// Takes the work to which answers belong, with what was learned, and what waits behind it.
    pub(super) fn end(
        &self,
        key: &Key,
        learned: Learned,
        at: Instant,
    ) -> Option<(Task, Option<Task>)> {
        let mut open = lock(&self.open).remove(key)?;
        open.task.learn(learned, at);
        Some((open.task, open.newer))
    }

    /// Asks no longer what looks want to know.
    pub(super) fn drop_looks(&self) {
        lock(&self.open).retain(|key, open| {
            if key.is_look {
                open.asked.abort();
            }
            !key.is_look
        });
    }

    /// Whether any events wait for answers.
    pub(super) fn has_events(&self) -> bool {
        lock(&self.open).keys().any(|key| !key.is_look)
    }

    /// Takes all work whose questions are open.
    pub(super) fn drain(&self) -> Vec<Task> {
        lock(&self.open)
            .drain()
            .flat_map(|(_, open)| [Some(open.task), open.newer])
            .flatten()
            .collect()
    }
}
