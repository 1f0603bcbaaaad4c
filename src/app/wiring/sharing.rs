//! From settings to the queue that replicas share, if they do.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use tracing::info;
use tracing::warn;

use crate::adapters::delivery_socket::server::DeliverySocket;
use crate::adapters::journal::Journal;
use crate::adapters::nats::Options;
use crate::adapters::nats::SharedQueue;
use crate::adapters::nats::connection::Address;
use crate::adapters::nats::connection::Login;
use crate::adapters::nats::connection::OpenError;
use crate::adapters::nats::names::Names;
use crate::adapters::nats::names::PrefixError;
use crate::app::settings::Settings;
use crate::app::settings::queue_address::QueueAddress;
use crate::app::settings::queue_address::QueueLogin;
use crate::app::wiring::keeping::Keeping;
use crate::app::wiring::server::StartError;

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

/// Joins those who share the queue. The server need not be there yet. A state folder is for the socket alone, by which people see what is kept.
///
/// # Errors
/// [`StartError`].
pub(super) async fn open(
    settings: &Settings,
    address: &QueueAddress,
) -> Result<Keeping, StartError> {
    let queue = Arc::new(join(settings, address.clone()).await?);
    info!(server = %address, "deliveries are kept on a queue that replicas share");
    let showing = match &settings.state_dir {
        Some(folder) => {
            warn_of_journal(folder);
            let log = Arc::clone(&queue) as _;
            let socket = DeliverySocket::open(folder, log)?;
            Some(Box::pin(socket.serve()) as _)
        }
        None => None,
    };
    let working = Arc::clone(&queue);
    Ok(Keeping {
        queue: Arc::clone(&queue) as _,
        is_durable: true,
        showing,
        failing: Some(Box::pin(async move { working.failed().await })),
        closing: Box::pin(async move { queue.close().await }),
    })
}

/// Tells of what was kept on disk before the queue was shared.
fn warn_of_journal(folder: &Path) {
    if Journal::is_in(folder) {
        warn!(
            folder = %folder.display(),
            "there is a journal of an earlier time, which is not read while --queue is set: where something may wait in it, start once without --queue"
        );
    }
}

async fn join(settings: &Settings, address: QueueAddress) -> Result<SharedQueue, SharingError> {
    let login = address.login.map(|login| match login {
        QueueLogin::Password { user, password } => Login::Password { user, password },
        QueueLogin::Token(token) => Login::Token(token),
    });
    let options = Options {
        address: Address {
            servers: address.servers,
            is_tls: address.is_tls,
            tls_dir: settings.shared_queue.tls_dir.clone(),
            login,
        },
        names: Names::new(&settings.shared_queue.prefix)?,
        replicas: settings.shared_queue.replicas,
        capacity: settings.queue_size.get(),
        patience: settings.shared_queue.patience,
    };
    Ok(SharedQueue::open(options).await?)
}
