//! From settings to the queue that replicas share, if they do.

use std::sync::Arc;

use thiserror::Error;

use crate::adapters::nats::Options;
use crate::adapters::nats::SharedQueue;
use crate::adapters::nats::connection::Address;
use crate::adapters::nats::connection::Login;
use crate::adapters::nats::connection::OpenError;
use crate::adapters::nats::names::Names;
use crate::adapters::nats::names::PrefixError;
use crate::app::settings::Settings;
use crate::app::settings::queue_address::QueueLogin;

/// Why the queue cannot be shared.
#[derive(Debug, Error)]
pub enum SharingError {
    /// The names cannot be used.
    #[error("--queue-prefix: {0}")]
    Prefix(#[from] PrefixError),
    /// There is nothing to connect to.
    #[error("--queue: {0}")]
    Open(#[from] OpenError),
}

/// Joins those who share the queue. The server need not be there yet.
pub(super) async fn open(settings: &Settings) -> Result<Option<Arc<SharedQueue>>, SharingError> {
    let shared = &settings.shared_queue;
    let Some(address) = shared.address.clone() else {
        return Ok(None);
    };
    let login = address.login.map(|login| match login {
        QueueLogin::Password { user, password } => Login::Password { user, password },
        QueueLogin::Token(token) => Login::Token(token),
    });
    let options = Options {
        address: Address {
            servers: address.servers,
            is_tls: address.is_tls,
            login,
        },
        names: Names::new(&shared.prefix)?,
        capacity: settings.queue_size.get(),
        patience: shared.patience,
    };
    Ok(Some(Arc::new(SharedQueue::open(options).await?)))
}

/// Leaves what waits to the other replicas, ends the work that has begun, and waits until they know what was done.
pub(super) async fn leaving<T>(
    queue: Option<&Arc<SharedQueue>>,
    work: impl Future<Output = T>,
) -> T {
    let Some(queue) = queue else {
        return work.await;
    };
    queue.leave();
    let done = work.await;
    queue.close().await;
    done
}
