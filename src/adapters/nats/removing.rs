//! Takes messages out of the stream.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::DeleteMessageErrorKind;
use async_nats::jetstream::stream::RawMessageErrorKind;
use futures_util::future::join_all;

use super::remembered::Surplus;
use super::server::AT_ONCE;
use super::server::Server;
use super::server::ServerError;

impl Server {
    /// Whether a message is in the stream.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn holds(&self, number: u64) -> Result<bool, ServerError> {
        let stream = self.handle().await?;
        match stream.get_raw_message(number).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    /// Takes a message out of the stream; it need not be there. Says whether it was.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn delete(&self, number: u64) -> Result<bool, ServerError> {
        let stream = self.handle().await?;
        let Err(error) = stream.delete_message(number).await else {
            return Ok(true);
        };
        match error.kind() {
            // What the server says of a message that was deleted before, it says of one that it cannot delete as well.
            DeleteMessageErrorKind::JetStream(answer)
                if is_missing(answer.error_code()) && !self.holds(number).await? =>
            {
                Ok(false)
            }
            DeleteMessageErrorKind::JetStream(_)
            | DeleteMessageErrorKind::Request
            | DeleteMessageErrorKind::TimedOut => Err(self.unavailable(&error)),
        }
    }

    /// Takes notes of what became of deliveries out of the stream. Says how many of them there were.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn forget(&self, surplus: &Surplus) -> Result<u64, ServerError> {
        let Some(last) = surplus.numbers.last() else {
            return Ok(0);
        };
        // All at once up to the first that stays, and then each by itself.
        let end = surplus
            .needed
            .map_or(last + 1, |needed| needed.min(last + 1));
        let mut forgotten = 0;
        // The server takes 1 for no end at all.
        if end > 1 {
            let stream = self.handle().await?;
            let purge = stream.purge().filter(self.names.notes()).sequence(end);
            let purged = purge.await.map_err(|error| self.unavailable(&error))?;
            forgotten += purged.purged;
        }
        let (_, rest) = surplus
            .numbers
            .split_at(surplus.numbers.partition_point(|number| *number < end));
        for some in rest.chunks(AT_ONCE) {
            let deleted = join_all(some.iter().map(|number| self.delete(*number)));
            for was_there in deleted.await {
                forgotten += u64::from(was_there?);
            }
        }
        Ok(forgotten)
    }
}

fn is_missing(code: ErrorCode) -> bool {
    // The second one is what the server says of a message that was deleted before.
    [
        ErrorCode::SEQUENCE_NOT_FOUND,
        ErrorCode::STREAM_MESSAGE_DELETE_FAILED,
    ]
    .contains(&code)
}
