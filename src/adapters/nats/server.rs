//! The server: one stream, in which each subject has one message, the last one.

use std::error::Error;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::stream::Stream;
use thiserror::Error;

use super::names::Names;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many messages may be on their way to the server at once.
const IN_FLIGHT: usize = 4096;
/// How many messages are asked for, or deleted, at once.
pub(super) const AT_ONCE: usize = 64;

/// Why the server did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum ServerError {
    /// The subject's last message is another one than was expected.
    #[error("somebody else was faster")]
    Conflict,
    /// The message is larger than the server allows.
    #[error("it is larger than the server's max_payload, or the stream's max-msg-size; raise that")]
    TooLarge,
    /// Somebody has made or changed the stream so that it may lose something.
    #[error("the NATS server at {place}: {reason}")]
    Lossy {
        /// The server's address, without a password.
        place: String,
        /// What to change.
        reason: String,
    },
    /// There is no room in the stream, or in the account.
    #[error(
        "the stream on the NATS server at {place} is full: {reason}; raise its limit, or that of the account"
    )]
    Full {
        /// The server's address, without a password.
        place: String,
        /// Which limit is reached.
        reason: String,
    },
    /// It cannot be reached, or does not want to.
    #[error("the NATS server at {place}: {reason}")]
    Unavailable {
        /// Its address, without a password.
        place: String,
        /// Why.
        reason: String,
    },
}

/// A message that is in the stream.
#[derive(Debug)]
pub(super) struct Stored {
    /// Its number.
    pub(super) number: u64,
    /// What it says.
    pub(super) content: Vec<u8>,
}

/// A message that is on its way.
pub(super) struct Sent(Result<PublishAckFuture, ServerError>);

/// A connection, which is made again whenever it is lost.
pub(super) struct Server {
    client: Client,
    pub(super) context: Context,
    pub(super) names: Names,
    place: String,
    /// On how many servers the stream is kept, at least.
    pub(super) replicas: usize,
}

impl Server {
    pub(super) fn new(client: Client, names: Names, place: String, replicas: usize) -> Self {
        let context = ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(IN_FLIGHT)
            .build(client.clone());
        Self {
            client,
            context,
            names,
            place,
            replicas,
        }
    }

    /// Its address, without a password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The most that a message may hold, in bytes.
    pub(super) fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// Appends a message and gives its number, once the server has it as safe as it is configured to. With `after`, it is appended only where that
    /// is the number of the subject's last message, 0 where there is none.
    ///
    /// # Errors
    /// [`ServerError`]. After another one than a conflict, the message may be there all the same.
    pub(super) async fn append(
        &self,
        subject: String,
        content: Vec<u8>,
        after: Option<u64>,
    ) -> Result<u64, ServerError> {
        let sent = self.send(subject, content, after).await;
        self.stored(sent).await
    }

    /// Sends a message to be appended. What is sent first is stored first.
    pub(super) async fn send(&self, subject: String, content: Vec<u8>, after: Option<u64>) -> Sent {
        if let Err(error) = self.check() {
            return Sent(Err(error));
        }
        let message = PublishMessage::build()
            .payload(content.into())
            .expected_stream(self.names.stream());
        let message = match after {
            Some(number) => message.expected_last_subject_sequence(number),
            None => message,
        };
        let sent = self.context.send_publish(subject, message).await;
        Sent(sent.map_err(|error| self.not_appended(&error)))
    }

    /// Waits until a message is stored that was sent, and gives its number.
    ///
    /// # Errors
    /// As for [`Self::append`].
    pub(super) async fn stored(&self, sent: Sent) -> Result<u64, ServerError> {
        let stored = sent.0?.await;
        let stored = stored.map_err(|error| self.not_appended(&error))?;
        Ok(stored.sequence)
    }

    /// The last message of a subject.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn last(&self, subject: &str) -> Result<Option<Stored>, ServerError> {
        let stream = self.handle().await?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(Stored {
                number: message.sequence,
                content: message.payload.to_vec(),
            })),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    /// What went wrong, for people.
    pub(super) fn unavailable(&self, error: &dyn Error) -> ServerError {
        self.refused(in_full(error))
    }

    /// What it does not want to do.
    pub(super) fn refused(&self, reason: String) -> ServerError {
        ServerError::Unavailable {
            place: self.place.clone(),
            reason,
        }
    }

    /// That there is no room.
    pub(super) fn full(&self, reason: String) -> ServerError {
        ServerError::Full {
            place: self.place.clone(),
            reason,
        }
    }

    /// Whether there is any sense in asking.
    pub(super) fn check(&self) -> Result<(), ServerError> {
        if self.is_connected() {
            return Ok(());
        }
        Err(self.refused(
            "there is no connection; it is made as soon as the server can be reached".to_owned(),
        ))
    }

    pub(super) async fn handle(&self) -> Result<Stream<()>, ServerError> {
        self.check()?;
        let stream = self.context.get_stream_no_info(self.names.stream()).await;
        stream.map_err(|error| self.unavailable(&error))
    }

    fn not_appended(&self, error: &PublishError) -> ServerError {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => ServerError::Conflict,
            PublishErrorKind::MaxPayloadExceeded => ServerError::TooLarge,
            PublishErrorKind::Other if is_full(error) => self.full(in_full(error)),
            PublishErrorKind::Other if is_too_large(error) => ServerError::TooLarge,
            PublishErrorKind::StreamNotFound
            | PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::MaxAckPending
            | PublishErrorKind::Other => self.unavailable(error),
        }
    }
}

/// An error with what is behind it.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let behind = error.to_string();
        if !text.contains(&behind) {
            text = format!("{text}: {behind}");
        }
        source = error.source();
    }
    text
}

/// What the server said against a message.
fn answer(error: &PublishError) -> Option<&async_nats::jetstream::Error> {
    error.source()?.downcast_ref()
}

/// Whether it is the stream's limit of a single message.
fn is_too_large(error: &PublishError) -> bool {
    let code = answer(error).map(async_nats::jetstream::Error::error_code);
    code == Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)
}

/// Whether it is a limit that kept a message from being stored.
fn is_full(error: &PublishError) -> bool {
    answer(error).is_some_and(|answer| match answer.error_code() {
        // Which of many reasons it is, the server says in words alone.
        ErrorCode::STREAM_STORE_FAILED => answer.to_string().contains("maximum"),
        code => [
            ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
            ErrorCode::INSUFFICIENT_RESOURCES,
            ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ]
        .contains(&code),
    })
}
