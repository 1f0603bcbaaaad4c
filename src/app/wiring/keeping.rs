//! From settings to where deliveries are kept.

use std::future::ready;
use std::path::Path;
use std::sync::Arc;

use tracing::info;
use tracing::warn;

use crate::adapters::delivery_socket::server::DeliverySocket;
use crate::adapters::journal::Journal;
use crate::adapters::memory::event_queue::InMemoryQueue;
use crate::app::settings::Settings;
use crate::app::wiring::once_free::once_free;
use crate::app::wiring::server::Background;
use crate::app::wiring::server::StartError;
use crate::app::wiring::sharing;
use crate::ports::event_queue::EventQueue;

/// Where deliveries are kept.
pub(super) struct Keeping {
    pub(super) queue: Arc<dyn EventQueue>,
    /// Whether what waits outlives the process.
    pub(super) is_durable: bool,
    /// Lets people see what is kept.
    pub(super) showing: Option<Background>,
    /// Ends where something that works on it does.
    pub(super) failing: Option<Background>,
    /// Writes what is left.
    pub(super) closing: Background,
}

/// Opens it. What only looks at registries has nothing to keep.
///
/// # Errors
/// [`StartError`].
pub(super) async fn open(settings: &Settings) -> Result<Keeping, StartError> {
    let capacity = settings.queue_size.get();
    if settings.server.is_none() {
        return Ok(memory(capacity));
    }
    if let Some(address) = &settings.shared_queue.address {
        return sharing::open(settings, address).await;
    }
    if let Some(folder) = &settings.state_dir {
        return journal(folder, capacity).await;
    }
    warn!(
        "deliveries are kept in memory: those that are accepted and not done when the process is killed are lost, and their senders do not come back; set --state-dir or --queue"
    );
    Ok(memory(capacity))
}

fn memory(capacity: usize) -> Keeping {
    Keeping {
        queue: Arc::new(InMemoryQueue::new(capacity)),
        is_durable: false,
        showing: None,
        failing: None,
        closing: Box::pin(ready(())),
    }
}

async fn journal(folder: &Path, capacity: usize) -> Result<Keeping, StartError> {
    let journal = once_free(|| ready(Journal::open(folder, capacity))).await?;
    let journal = Arc::new(journal);
    let socket = DeliverySocket::open(folder, Arc::clone(&journal) as _)?;
    info!(folder = %folder.display(), "deliveries are kept on disk");
    Ok(Keeping {
        queue: Arc::clone(&journal) as _,
        is_durable: true,
        showing: Some(Box::pin(socket.serve())),
        failing: None,
        closing: Box::pin(async move { journal.close().await }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_another_process_keeps_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let _other = Journal::open(folder.path(), 10).unwrap();
        let Err(error) = journal(folder.path(), 10).await else {
            panic!("two have it");
        };
        let text = error.to_string();
        assert!(text.contains("is in use by another process"), "{text}");
    }
}
