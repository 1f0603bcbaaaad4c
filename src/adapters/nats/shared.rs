//! What the tasks of a queue have in common.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use tokio::sync::Notify;
use tokio::sync::watch;

use super::names::ReplicaId;
use super::reading::Room;
use super::server::Server;
use super::server::ServerError;
use super::state::State;

/// The state, with bells for those who wait for it.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) me: ReplicaId,
    /// How long a replica may be silent before its work is given to others.
    pub(super) patience: Duration,
    state: Mutex<State>,
    /// Whether the stream has a limit, so that it is worth while to ask how much room there is.
    is_limited: AtomicBool,
    /// The most that a message of the stream may hold, in bytes.
    largest: AtomicUsize,
    /// Held while room is made, so that not each who finds none forgets a half.
    forgetting: tokio::sync::Mutex<()>,
    /// There may be work.
    pub(super) arrived: Notify,
    /// Something has ended and is to be written.
    pub(super) ended: Notify,
    /// Partitions may have to be taken or given away.
    pub(super) moved: Notify,
    /// Rises with each message that is applied, and with each change of what is written or in work.
    pub(super) changes: watch::Sender<u64>,
    /// Rises with each connection, and where the stream is to be looked at anew.
    pub(super) connections: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(server: Server, patience: Duration, connections: watch::Sender<u64>) -> Self {
        let me = ReplicaId::new();
        Self {
            server,
            state: Mutex::new(State::new(me.clone(), patience)),
            is_limited: AtomicBool::new(false),
            largest: AtomicUsize::new(usize::MAX),
            me,
            patience,
            forgetting: tokio::sync::Mutex::new(()),
            arrived: Notify::new(),
            ended: Notify::new(),
            moved: Notify::new(),
            changes: watch::Sender::new(0),
            connections,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a change.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Heeds the limits of the stream, which may be set or lifted at any time.
    pub(super) fn heed(&self, limits: &Config) {
        let is_limited = limits.max_messages > 0 || limits.max_bytes > 0;
        self.is_limited.store(is_limited, Ordering::Relaxed);
        let largest = usize::try_from(limits.max_message_size).ok();
        let largest = largest.filter(|largest| *largest > 0);
        let largest = largest.unwrap_or(usize::MAX);
        self.largest.store(largest, Ordering::Relaxed);
    }

    /// The most that a message may hold, in bytes.
    pub(super) fn largest(&self) -> usize {
        let of_stream = self.largest.load(Ordering::Relaxed);
        self.server.max_payload().min(of_stream)
    }

    /// Appends a message, as [`Server::append`] does. Where the stream is full, the oldest of the deliveries that are done make room for it: they are
    /// remembered for people alone by then, and all else waits for room.
    ///
    /// # Errors
    /// As for [`Server::append`].
    pub(super) async fn append(
        &self,
        subject: String,
        content: Vec<u8>,
        after: Option<u64>,
    ) -> Result<u64, ServerError> {
        let appended = self
            .server
            .append(subject.clone(), content.clone(), after)
            .await;
        if !matches!(appended, Err(ServerError::Full { .. })) {
            return appended;
        }
        let _one = self.forgetting.lock().await;
        // Whoever held this before may have made room.
        let appended = self
            .server
            .append(subject.clone(), content.clone(), after)
            .await;
        match appended {
            Err(error @ ServerError::Full { .. }) if self.make_room(&error).await => {
                self.server.append(subject, content, after).await
            }
            appended => appended,
        }
    }

    /// Whether there is room for one more delivery. Where the stream has a limit, an eighth of it is kept for all else, as nothing could be worked
    /// off in a stream that is full.
    ///
    /// # Errors
    /// [`ServerError`], also where there is no room.
    pub(super) async fn check_room(&self) -> Result<(), ServerError> {
        if !self.is_limited.load(Ordering::Relaxed) || self.server.room().await? != Room::Scarce {
            return Ok(());
        }
        let _one = self.forgetting.lock().await;
        if self.server.room().await? != Room::Scarce {
            return Ok(());
        }
        let reason = "an eighth of it is kept for working off what it holds".to_owned();
        let full = self.server.full(reason);
        // What was forgotten may be little, where others have forgotten before us.
        while self.make_room(&full).await {
            if self.server.room().await? != Room::Scarce {
                return Ok(());
            }
        }
        Err(full)
    }

    /// Waits until the state is as it is wanted, for so long at the most. Says whether it is.
    pub(super) async fn until(&self, wait: Duration, is_so: impl Fn(&State) -> bool) -> bool {
        let mut changes = self.changes.subscribe();
        let so = changes.wait_for(|_| is_so(&self.state()));
        matches!(tokio::time::timeout(wait, so).await, Ok(Ok(_)))
    }
}
