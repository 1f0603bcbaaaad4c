//! What is being asked of registries, and what comes back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::lock;
use super::registry::Learned;
use super::registry::Questions;
use super::registry::Registry;
use super::registry::unanswered;
use super::task::Key;
use super::task::Looked;
use super::task::Task;
use crate::domain::reference::ImageName;
use crate::ports::event_queue::QueuedEvent;

/// Work whose questions are open, and the way by which others reach the updater.
pub(super) struct Asking {
    open: Mutex<HashMap<Key, Open>>,
    send: mpsc::UnboundedSender<Incoming>,
    receive: tokio::sync::Mutex<mpsc::UnboundedReceiver<Incoming>>,
}

struct Open {
    task: Task,
    /// Whether something newer joined it, so that what comes back answers older questions.
    is_joined: bool,
}

/// What comes in, besides events.
pub(super) enum Incoming {
    /// Somebody asks for a look at the registry of an image.
    Look {
        image: ImageName,
        waiting: oneshot::Sender<Looked>,
    },
    /// Registries have answered.
    Answers { key: Key, learned: Learned },
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

    /// Has work wait for answers.
    pub(super) fn begin(&self, task: Task, questions: Questions, registry: &Arc<Registry>) {
        let (key, batch) = (task.key(), task.batch.clone());
        let open = Open {
            task,
            is_joined: false,
        };
        lock(&self.open).insert(key.clone(), open);
        let (registry, send, asked) = (Arc::clone(registry), self.send.clone(), questions.clone());
        tokio::spawn(async move {
            // A panic in there is a bug, and must not leave the image waiting for ever.
            let answers = tokio::spawn(async move { registry.answers(questions, &batch).await });
            let learned = answers.await.unwrap_or_else(|_| unanswered(asked));
            // Nobody is there any more where the process ends.
            let _ = send.send(Incoming::Answers { key, learned });
        });
    }

    /// Whether work is being asked for.
    pub(super) fn is_open(&self, key: &Key) -> bool {
        lock(&self.open).contains_key(key)
    }

    /// Has newer work join what is being asked for, and gives back what that supersedes.
    pub(super) fn join(&self, task: Task) -> Vec<QueuedEvent> {
        let mut open = lock(&self.open);
        let Some(open) = open.get_mut(&task.key()) else {
            return Vec::new();
        };
        open.is_joined = true;
        open.task.join(task)
    }

    /// Takes the work to which answers belong, with what was learned.
    pub(super) fn end(&self, key: &Key, learned: Learned) -> Option<Task> {
        let mut open = lock(&self.open).remove(key)?;
        if !open.is_joined {
            open.task.learn(learned);
        }
        Some(open.task)
    }

    /// Whether any events wait for answers.
    pub(super) fn has_events(&self) -> bool {
        lock(&self.open).keys().any(|key| !key.is_look)
    }

    /// Takes all work whose questions are open.
    pub(super) fn drain(&self) -> Vec<Task> {
        lock(&self.open)
            .drain()
            .map(|(_, open)| open.task)
            .collect()
    }
}
