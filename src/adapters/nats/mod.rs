//! A queue that several replicas share, on NATS JetStream.
//!
//! One stream holds all: the deliveries that wait or are in work, what became of the others, and who works on what. Every replica reads it from its
//! beginning, so that all know the same in the same order. It keeps one message for each subject, and the server refuses a message that was
//! written in ignorance of the last one of its subject: that settles who was first, whatever it is about.
//!
//! * A delivery is one message, so it is there as a whole or not at all. Its subject is made of its sender's name for it: as long as it is there,
//!   no second one of that name comes in. When all of it is done, what became of it is written, and then the message is deleted.
//! * Images are divided into partitions. Each is worked on by one replica, which hands out its events as the queue in memory does. Work that has
//!   begun needs no word with the server until it ends.
//! * Each replica makes itself heard in short intervals. Who is silent loses its partitions to the others, who begin with all that is not done
//!   in them. Who was not heard itself takes up no work.

pub mod connection;
mod follower;
mod forgetting;
mod form;
mod held;
mod keeper;
mod leftover;
pub mod names;
mod open;
mod pushed;
mod pusher;
mod reading;
mod remembered;
mod removing;
mod seats;
mod server;
mod shared;
mod shortened;
mod state;
mod unwritten;
mod writer;

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;
use tokio::sync::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::connection::Address;
use self::connection::OpenError;
use self::form::DeliveryForm;
use self::form::NoteForm;
use self::names::Names;
use self::names::PARTITIONS;
use self::seats::BEATS;
use self::server::AT_ONCE;
use self::server::Server;
use self::server::ServerError;
use self::shared::Shared;
use self::state::State;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::secret_policy::Verified;
use crate::ports::delivery_log::DeliveryLog;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// How a queue is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The server.
    pub address: Address,
    /// The names of this installation.
    pub names: Names,
    /// On how many of its servers the stream is kept, at least. More than half of them have to be there.
    pub replicas: usize,
    /// For how many events there is room, counting those of all replicas.
    pub capacity: usize,
    /// How long a replica may be silent before its work is given to others.
    pub patience: Duration,
}

/// A replica's end of the queue. Once it is dropped, the others take over what it worked on.
pub struct SharedQueue {
    shared: Arc<Shared>,
    capacity: usize,
    /// They end with the queue.
    tasks: Mutex<JoinSet<()>>,
}

impl SharedQueue {
    /// Joins those who share the queue. The server need not be there yet: until it is, deliveries are refused.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let connections = watch::Sender::new(0);
        let client = options
            .address
            .connect(&connections, options.patience / BEATS)
            .await?;
        let place = options.address.place();
        let server = Server::new(client, options.names, place, options.replicas);
        let shared = Arc::new(Shared::new(server, options.patience, connections));
        let mut tasks = JoinSet::new();
        tasks.spawn(follower::run(Arc::clone(&shared)));
        tasks.spawn(keeper::run(Arc::clone(&shared)));
        tasks.spawn(writer::run(Arc::clone(&shared)));
        Ok(Self {
            shared,
            capacity: options.capacity,
            tasks: Mutex::new(tasks),
        })
    }

    /// Ends only where a part of the queue does, which is a fault: then deliveries may be taken that nobody works on here.
    pub async fn failed(&self) {
        self.tasks.lock().await.join_next().await;
    }

    /// How large this replica's share of the work is, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        let ours = u32::try_from(self.shared.state().seats.ours()).unwrap_or(u32::MAX);
        let all = u32::try_from(PARTITIONS).unwrap_or(u32::MAX);
        f64::from(ours) / f64::from(all)
    }

    /// Takes up no more work, and leaves what waits to the others.
    pub fn leave(&self) {
        self.shared.state().seats.leave();
        self.shared.moved.notify_one();
    }

    /// Leaves for good: what is in work here is the others', and what became of the rest is written, if that can be done within a few seconds.
    /// Nobody may work any more.
    pub async fn close(&self) {
        /// For this long at the most.
        const WAIT: Duration = Duration::from_secs(5);
        self.shared.state().give_up();
        self.leave();
        let server = &self.shared.server;
        let is_over = |state: &State| state.is_idle() && state.seats.ours() == 0;
        // Without a server the others find out by themselves.
        self.shared
            .until(WAIT, |state| !server.is_connected() || is_over(state))
            .await;
    }

    /// That what the server holds is known.
    fn is_read(&self) -> Result<(), LogError> {
        if self.shared.state().is_current() {
            return Ok(());
        }
        Err(LogError::Unavailable(format!(
            "what the NATS server at {} holds is not read yet, or it cannot be reached",
            self.shared.server.place()
        )))
    }

    async fn noted(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, LogError> {
        self.is_read()?;
        if let Some(unnoted) = self.shared.state().unnoted(id) {
            return Ok(Some(unnoted.clone()));
        }
        let subject = self.shared.server.names.note(id);
        let last = self.shared.server.last(&subject).await;
        let Some(last) = last.map_err(|error| unreadable(&error))? else {
            return Ok(None);
        };
        let form: Result<NoteForm, String> = form::read(&last.content);
        let record = form.and_then(NoteForm::record);
        record.map(Some).map_err(LogError::Unavailable)
    }
}

/// The delivery that a message of the stream tells of, with what became of it; `None` where it is none. This is what the queue makes of what the server
/// holds, to be tried with anything.
#[must_use]
pub fn delivery_in(message: &[u8]) -> Option<DeliveryRecord> {
    let note: Result<NoteForm, String> = form::read(message);
    let record = match note {
        Ok(note) => note.record(),
        Err(_) => form::read::<DeliveryForm>(message).and_then(DeliveryForm::record),
    };
    record.ok()
}

fn unreadable(error: &ServerError) -> LogError {
    LogError::Unavailable(error.to_string())
}

#[async_trait]
impl EventQueue for SharedQueue {
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError> {
        pusher::push(&self.shared, &accepted.into_inner(), self.capacity).await
    }

    async fn next(&self) -> Batch {
        loop {
            let batch = self.shared.state().take();
            match batch {
                Some(batch) => return batch,
                None => self.shared.arrived.notified().await,
            }
        }
    }

    fn is_kept(&self, batch: &Batch) -> bool {
        let is_kept = self.shared.state().is_kept(batch);
        if !is_kept {
            self.shared.arrived.notify_one();
            self.shared.ended.notify_one();
            self.shared.changed();
        }
        is_kept
    }

    async fn done(&self, batch: &Batch, fate: &Fate) {
        self.shared.state().end(batch, fate);
        self.shared.ended.notify_one();
        self.shared.changed();
    }

    fn load(&self) -> Load {
        self.shared.state().load()
    }
}

#[async_trait]
impl DeliveryLog for SharedQueue {
    async fn list(
        &self,
        before: Option<DeliveryId>,
        most: usize,
    ) -> Result<Vec<DeliveryRecord>, LogError> {
        self.is_read()?;
        let ids = self.shared.state().newest(usize::MAX).into_iter();
        let ids = ids.filter(|id| before.as_ref().is_none_or(|before| id < before));
        let ids: Vec<DeliveryId> = ids.take(most).collect();
        // The server forgets all that it is asked where that is too much at once.
        let asked = stream::iter(ids).map(async |id| self.noted(&id).await);
        let records: Vec<_> = asked.buffered(AT_ONCE).try_collect().await?;
        Ok(records.into_iter().flatten().collect())
    }

    async fn show(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, LogError> {
        self.noted(id).await
    }

    async fn redeliver(&self, id: &DeliveryId) -> Result<Redelivery, LogError> {
        let Some(record) = self.noted(id).await? else {
            return Ok(Redelivery::Unknown);
        };
        if self.shared.state().open.named(id).is_some() {
            return Ok(Redelivery::Open);
        }
        if record.events.is_empty() {
            return Err(LogError::Unavailable(
                "what it announced was too long to be remembered; have it sent again".to_owned(),
            ));
        }
        let accepted = record.again(SystemTime::now());
        match pusher::keep(&self.shared, &accepted).await {
            Ok(Pushed::Queued(_)) => Ok(Redelivery::Queued),
            Ok(Pushed::Duplicate(_)) => Ok(Redelivery::Open),
            Err(QueueError::Unavailable { reason, .. }) => Err(LogError::Unavailable(reason)),
            Err(error @ QueueError::Full { .. }) => Err(LogError::Unavailable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_is_a_failure() {
        let nowhere = Address {
            servers: vec!["127.0.0.1:1".to_owned()],
            is_tls: false,
            tls_dir: None,
            login: None,
        };
        let queue = SharedQueue::open(Options {
            address: nowhere,
            names: Names::new("updater").unwrap(),
            replicas: 1,
            capacity: 1,
            patience: Duration::from_secs(15),
        });
        let queue = queue.await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(queue.failed().now_or_never(), None);
        queue.tasks.lock().await.abort_all();
        queue.failed().await;
    }
}
