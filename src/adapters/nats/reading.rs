//! The stream as a whole, and reading it.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::stream::DiscardPolicy;
use async_nats::jetstream::stream::Info;
use async_nats::jetstream::stream::RetentionPolicy;
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::stream::Stream;

use super::server::Server;
use super::server::ServerError;

/// Messages of the stream, as they come.
pub(super) struct Reading {
    pub(super) messages: pull::Stream,
    /// How many there are by now.
    pub(super) pending: u64,
}

impl Server {
    /// The stream, which is made where there is none, and what the server says of it.
    ///
    /// # Errors
    /// [`ServerError`]; also where it is a stream of another kind.
    pub(super) async fn stream(&self) -> Result<(Stream, Info), ServerError> {
        self.check()?;
        let stream = match self.context.get_stream(self.names.stream()).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    let created = self.context.create_stream(self.config()).await;
                    created.map_err(|error| self.unavailable(&error))?
                }
                GetStreamErrorKind::JetStream(_)
                | GetStreamErrorKind::EmptyName
                | GetStreamErrorKind::Request
                | GetStreamErrorKind::InvalidStreamName => return Err(self.unavailable(&error)),
            },
        };
        let info = stream.cached_info().clone();
        let is_ours = info.config.max_messages_per_subject == 1
            && info.config.retention == RetentionPolicy::Limits
            && info.config.max_age.is_zero()
            && info.config.subjects == [self.names.all()];
        if is_ours {
            Ok((stream, info))
        } else {
            Err(self.refused(format!(
                "the stream {} is configured otherwise than this program does it: remove it, or give another --queue-prefix",
                self.names.stream()
            )))
        }
    }

    /// Reads a stream from a message on.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn read(&self, stream: &Stream, from: u64) -> Result<Reading, ServerError> {
        /// After this time without a reader the server forgets it.
        const FORGOTTEN: Duration = Duration::from_secs(30);
        let config = pull::Config {
            description: Some("a replica of argocd-image-updater".to_owned()),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: from,
            },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer: PullConsumer = stream
            .create_consumer(config)
            .await
            .map_err(|error| self.unavailable(&error))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.stream().heartbeat(Duration::from_secs(3));
        let messages = messages.expires(Duration::from_secs(30)).messages().await;
        Ok(Reading {
            messages: messages.map_err(|error| self.unavailable(&error))?,
            pending,
        })
    }

    fn config(&self) -> Config {
        Config {
            name: self.names.stream().to_owned(),
            description: Some("what argocd-image-updater has accepted".to_owned()),
            subjects: vec![self.names.all()],
            max_messages_per_subject: 1,
            // A limit that somebody sets for the stream refuses what is new rather than forgets what is old.
            discard: DiscardPolicy::New,
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            num_replicas: 1,
            ..Config::default()
        }
    }
}
