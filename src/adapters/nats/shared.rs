//! What the tasks of a queue have in common.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::watch;

use super::names::ReplicaId;
use super::server::Server;
use super::state::State;

/// The state, with bells for those who wait for it.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) me: ReplicaId,
    /// How long a replica may be silent before its work is given to others.
    pub(super) patience: Duration,
    state: Mutex<State>,
    /// There may be work.
    pub(super) arrived: Notify,
    /// Something has ended and is to be written.
    pub(super) ended: Notify,
    /// Partitions may have to be taken or given away.
    pub(super) moved: Notify,
    /// Rises with each message that is applied, and with each change of what is written or in work.
    pub(super) changes: watch::Sender<u64>,
    /// Rises with each connection.
    pub(super) connections: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(server: Server, patience: Duration, connections: watch::Sender<u64>) -> Self {
        let me = ReplicaId::new();
        Self {
            server,
            state: Mutex::new(State::new(me.clone(), patience)),
            me,
            patience,
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

    /// Waits until the state is as it is wanted, for so long at the most. Says whether it is.
    pub(super) async fn until(&self, wait: Duration, is_so: impl Fn(&State) -> bool) -> bool {
        let mut changes = self.changes.subscribe();
        let so = changes.wait_for(|_| is_so(&self.state()));
        matches!(tokio::time::timeout(wait, so).await, Ok(Ok(_)))
    }
}
