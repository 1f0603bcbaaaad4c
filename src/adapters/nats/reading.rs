//! The stream as a whole, and reading it.

use std::error::Error;
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
use async_nats::jetstream::stream::PersistenceMode;
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

/// How much room there is in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// As much as the server has.
    Unlimited,
    /// There is a limit, and enough below it.
    Enough,
    /// What is left has to do for working off what is there: that replicas are alive, and what becomes of deliveries.
    Scarce,
}

impl Room {
    /// Below a limit, which is none where it is not positive.
    fn of(limit: i64, used: u64) -> Self {
        match u64::try_from(limit) {
            Err(_) | Ok(0) => Self::Unlimited,
            Ok(limit) if used < limit - limit / 8 => Self::Enough,
            Ok(_) => Self::Scarce,
        }
    }
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
                    created.map_err(|error| self.not_kept(&error))?
                }
                GetStreamErrorKind::JetStream(_)
                | GetStreamErrorKind::EmptyName
                | GetStreamErrorKind::Request
                | GetStreamErrorKind::InvalidStreamName => return Err(self.unavailable(&error)),
            },
        };
        let info = self.sound(stream.cached_info())?;
        if info.config.num_replicas < self.replicas {
            let raised = Config {
                num_replicas: self.replicas,
                ..info.config.clone()
            };
            let raised = self.context.update_stream(raised).await;
            raised.map_err(|error| self.not_kept(&error))?;
        }
        Ok((stream, info))
    }

    /// What the server says of a stream, where it would lose nothing.
    fn sound(&self, info: &Info) -> Result<Info, ServerError> {
        match fault(&info.config, &self.names.all()) {
            None => Ok(info.clone()),
            Some(fault) => Err(ServerError::Lossy {
                place: self.place().to_owned(),
                reason: format!(
                    "the stream {} would lose what it is given: {fault}; change it with `nats stream edit`, or give another --queue-prefix",
                    self.names.stream()
                ),
            }),
        }
    }

    /// What the server says of the stream now, which somebody may have changed.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn look(&self) -> Result<Info, ServerError> {
        self.check()?;
        let stream = self.context.get_stream(self.names.stream()).await;
        let stream = stream.map_err(|error| self.unavailable(&error))?;
        self.sound(stream.cached_info())
    }

    /// That the stream cannot be made or changed.
    fn not_kept(&self, error: &dyn Error) -> ServerError {
        if self.replicas == 1 {
            return self.unavailable(error);
        }
        self.refused(format!(
            "the stream {} cannot be kept on {} servers: {error}; have as many with JetStream in the cluster, or lower --queue-replicas",
            self.names.stream(),
            self.replicas
        ))
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

    /// How much room there is in the stream.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn room(&self) -> Result<Room, ServerError> {
        let info = self.look().await?;
        let (limits, used) = (&info.config, &info.state);
        let rooms = [
            Room::of(limits.max_messages, used.messages),
            Room::of(limits.max_bytes, used.bytes),
        ];
        Ok(rooms.into_iter().max().unwrap_or(Room::Unlimited))
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
            num_replicas: self.replicas,
            ..Config::default()
        }
    }
}

/// What is wrong with a stream that somebody else has made or changed. Limits of its size may be set.
fn fault(config: &Config, subjects: &str) -> Option<String> {
    let is_another = config.mirror.is_some() || config.sources.is_some();
    let wanted = [
        (config.subjects == [subjects] && !is_another, "subjects"),
        (
            config.max_messages_per_subject == 1,
            "max-msgs-per-subject=1",
        ),
        (
            config.retention == RetentionPolicy::Limits,
            "retention=limits",
        ),
        (config.discard == DiscardPolicy::New, "discard=new"),
        (!config.discard_new_per_subject, "no discard-per-subject"),
        (config.max_age.is_zero(), "max-age=0"),
        (config.storage == StorageType::File, "storage=file"),
        (
            config.persist_mode != Some(PersistenceMode::Async),
            "persist-mode=default",
        ),
        (!config.no_ack, "acknowledgements"),
        (!config.deny_delete && !config.sealed, "allow-delete"),
        (!config.deny_purge, "allow-purge"),
    ];
    let missing: Vec<_> = wanted
        .into_iter()
        .filter_map(|(is_so, what)| (!is_so).then_some(what))
        .map(|what| what.replace("subjects", &format!("subjects={subjects} alone")))
        .collect();
    (!missing.is_empty()).then(|| format!("it needs {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Config {
        Config {
            subjects: vec!["updater.>".to_owned()],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            max_bytes: 1 << 30,
            ..Config::default()
        }
    }

    #[test]
    fn an_eighth_of_a_limit_is_left_for_the_work() {
        assert_eq!(Room::of(-1, u64::MAX), Room::Unlimited);
        assert_eq!(Room::of(0, 1), Room::Unlimited);
        assert_eq!(Room::of(80, 69), Room::Enough);
        assert_eq!(Room::of(80, 70), Room::Scarce);
        assert_eq!(Room::of(1, 0), Room::Enough);
        assert!(Room::Scarce > Room::Enough && Room::Enough > Room::Unlimited);
    }

    #[test]
    fn a_stream_that_would_lose_something_is_refused_with_what_to_change() {
        assert_eq!(fault(&good(), "updater.>"), None);
        let old = Config {
            discard: DiscardPolicy::Old,
            storage: StorageType::Memory,
            ..good()
        };
        let expected = "it needs discard=new, storage=file".to_owned();
        assert_eq!(fault(&old, "updater.>"), Some(expected));
        let expected = "it needs subjects=other.> alone".to_owned();
        assert_eq!(fault(&good(), "other.>"), Some(expected));
        let unkept = Config {
            persist_mode: Some(PersistenceMode::Async),
            deny_delete: true,
            ..good()
        };
        let expected = "it needs persist-mode=default, allow-delete".to_owned();
        assert_eq!(fault(&unkept, "updater.>"), Some(expected));
    }
}
