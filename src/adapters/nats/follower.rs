//! Reads the stream, and applies it message by message.

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::watch;
use tracing::error;
use tracing::info;
use tracing::warn;

use super::form;
use super::form::BeatForm;
use super::form::DeliveryForm;
use super::form::NoteForm;
use super::form::SeatForm;
use super::names::Subject;
use super::seats::Change;
use super::server::AT_ONCE;
use super::server::ServerError;
use super::shared::Shared;

/// How long it rests after something went wrong.
const REST: Duration = Duration::from_millis(500);

/// Reads for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut follower = Follower {
        connections: shared.connections.subscribe(),
        created: None,
        complained: None,
        shared,
    };
    loop {
        let ended = follower.follow().await;
        follower.shared.state().set_current(false);
        if let Err(error) = ended {
            follower.complain(&error);
            let again = follower.connections.changed();
            let _ = tokio::time::timeout(REST, again).await;
        }
    }
}

struct Follower {
    shared: Arc<Shared>,
    connections: watch::Receiver<u64>,
    /// When the stream was made that is read.
    created: Option<SystemTime>,
    /// What was told last of what went wrong.
    complained: Option<String>,
}

impl Follower {
    /// Reads until the connection changes or something goes wrong.
    async fn follow(&mut self) -> Result<(), ServerError> {
        self.connections.mark_unchanged();
        let (stream, info) = self.shared.server.stream().await?;
        self.shared.heed(&info.config);
        let is_another = self.has_lost_our_beat().await?;
        self.begin(info.created.into(), info.state.last_sequence, is_another);
        let before = self.shared.state().applied();
        let mut reading = self.shared.server.read(&stream, before + 1).await?;
        if reading.pending == 0 {
            self.has_all(before).await?;
        }
        let mut expected = 1;
        loop {
            let message = tokio::select! {
                message = reading.messages.next() => message,
                _ = self.connections.changed() => return Ok(()),
            };
            let Some(message) = message else {
                return Ok(());
            };
            let message = message.map_err(|error| self.shared.server.unavailable(&error))?;
            let Ok(info) = message.info() else {
                continue;
            };
            if info.consumer_sequence != expected {
                // One was lost on the way: it is read from there again.
                return Ok(());
            }
            expected += 1;
            let (number, at) = (info.stream_sequence, SystemTime::from(info.published));
            let is_last = info.pending == 0;
            self.apply(&message.subject, &message.payload, number, at);
            if is_last {
                self.has_all(before).await?;
            }
        }
    }

    /// Whether the stream does not hold a beat of ours that was read in it. Then it is an earlier state of the same stream, brought back by a loss of
    /// power or from a backup, in which the numbers that were lost may be given to other messages by now.
    async fn has_lost_our_beat(&self) -> Result<bool, ServerError> {
        let Some(number) = self.shared.state().seats.heard() else {
            return Ok(false);
        };
        let subject = self.shared.server.names.replica(&self.shared.me);
        let last = self.shared.server.last(&subject).await?;
        Ok(last.is_none_or(|last| last.number < number))
    }

    /// Begins anew where the stream is another one, or has lost what was read of it.
    fn begin(&mut self, created: SystemTime, last: u64, is_another: bool) {
        let is_another = is_another || self.created.is_some_and(|known| known != created);
        let mut state = self.shared.state();
        if is_another || last < state.applied() {
            warn!(
                server = self.shared.server.place(),
                "the stream on the NATS server was removed or has lost messages: it is read anew"
            );
            state.reset();
        }
        self.created = Some(created);
    }

    /// All is applied that the stream holds, of which we had applied so much before.
    async fn has_all(&mut self, before: u64) -> Result<(), ServerError> {
        if self.shared.state().is_current() {
            return Ok(());
        }
        self.look_for(before).await?;
        self.shared.state().set_current(true);
        info!(
            server = self.shared.server.place(),
            "deliveries are kept by the NATS server"
        );
        self.complained = None;
        self.shared.moved.notify_one();
        self.shared.ended.notify_one();
        self.shared.changed();
        Ok(())
    }

    /// Looks for the deliveries that others may have ended while we did not hear of it: the word of that may be written over since, or forgotten.
    async fn look_for(&self, before: u64) -> Result<(), ServerError> {
        let server = &self.shared.server;
        let numbers = self.shared.state().foreign(before);
        for some in numbers.chunks(AT_ONCE) {
            let found = join_all(some.iter().map(|number| server.holds(*number))).await;
            for (number, is_there) in some.iter().zip(found) {
                if !is_there? {
                    self.shared.state().miss(*number);
                }
            }
        }
        Ok(())
    }

    fn apply(&self, subject: &str, content: &[u8], number: u64, at: SystemTime) {
        let subject = self.shared.server.names.read(subject);
        let applied = match subject {
            Some(Subject::Delivery) => self.begin_delivery(content, number),
            Some(Subject::Note) => self.note(content, number),
            Some(Subject::Partition(partition)) => self.sit(partition, content, number),
            Some(Subject::Replica(replica)) => form::read(content).map(|form: BeatForm| {
                let is_ours = replica == self.shared.me;
                let mut state = self.shared.state();
                if state.beat(replica, at, number, form.leaves) {
                    self.shared.moved.notify_one();
                }
                if is_ours {
                    self.shared.arrived.notify_one();
                }
            }),
            // A later version's.
            None => Ok(()),
        };
        if let Err(reason) = applied {
            error!(
                message = number,
                reason, "a message in the stream of deliveries cannot be read and is left out"
            );
        }
        self.shared.state().has_applied(number);
        self.shared.changed();
    }

    fn begin_delivery(&self, content: &[u8], number: u64) -> Result<(), String> {
        let form: DeliveryForm = form::read(content)?;
        self.shared.state().begin(number, form.record()?);
        self.shared.arrived.notify_one();
        // Something may have taken the place of another.
        self.shared.ended.notify_one();
        Ok(())
    }

    fn note(&self, content: &[u8], message: u64) -> Result<(), String> {
        let form: NoteForm = form::read(content)?;
        let number = form.number;
        let note = form.record()?;
        self.shared.state().note(message, number, &note);
        Ok(())
    }

    fn sit(&self, partition: usize, content: &[u8], number: u64) -> Result<(), String> {
        let form: SeatForm = form::read(content)?;
        let change = self.shared.state().sit(partition, form.replica, number);
        match change {
            Change::Ours => {
                self.shared.arrived.notify_one();
                self.shared.ended.notify_one();
            }
            Change::Lost => {}
            Change::Nothing => self.shared.moved.notify_one(),
        }
        Ok(())
    }

    /// Tells what went wrong, once as long as it is the same.
    fn complain(&mut self, error: &ServerError) {
        let text = error.to_string();
        if self.complained.as_ref() != Some(&text) {
            warn!("deliveries are refused until the queue can be read: {text}");
            self.complained = Some(text);
        }
    }
}
