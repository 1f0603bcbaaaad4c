//! A queue on disk: what was accepted is there before it is answered, and is worked on after whatever ends the process.
//!
//! One file, written by [redb](https://docs.rs/redb): copy on write, with checksums, so that a commit is there as a whole or not at all. What waits is
//! in memory as well, where it is worked on. Beside it stands what became of each delivery, for people.

mod disk;
pub mod error;
mod forgetting;
mod form;
mod log;
mod opening;
mod order;
mod shelf;
mod staged;
mod store;
mod upgrade;
mod writer;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread;
use std::time::SystemTime;

use async_trait::async_trait;
use redb::StorageBackend;
use tokio::sync::oneshot;
use tracing::error;
use tracing::info;

use self::disk::Disk;
use self::disk::Reopen;
use self::error::OpenError;
use self::error::StoreError;
use self::order::Order;
use self::shelf::Shelf;
use self::store::Store;
use self::writer::RETRY_AFTER;
use self::writer::Writer;
use crate::domain::queue::accepted::Accepted;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::secret_policy::Verified;
use crate::ports::delivery_log::LogError;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Load;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;

/// The file in the state folder.
const FILE: &str = "journal.redb";

/// The journal. It is in use by one process at a time.
pub struct Journal {
    shelf: Arc<Shelf>,
    /// `None` once it is closed.
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    ended: tokio::sync::watch::Receiver<bool>,
}

impl Journal {
    /// Opens the journal in a folder, which is made where there is none, with room for so many entries. What waited when it was last used waits
    /// again. A damaged file is set aside, and told, and a new one begun.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, capacity: usize) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let mut store = match Store::open(&path) {
            Err(OpenError::Damaged { reason, .. }) => {
                let aside = set_aside(&path).map_err(|source| OpenError::Folder {
                    path: path.clone(),
                    source,
                })?;
                error!(
                    file = %aside.display(),
                    reason,
                    "the journal is damaged and was set aside; what waited in it is not worked on: have senders deliver it again"
                );
                Store::open(&path)?
            }
            other => other?,
        };
        store.compact().map_err(unusable)?;
        Self::begin(store, Box::new(move || Store::open(&path)), capacity)
    }

    /// Opens what a server left in a folder, to look at it and to have deliveries worked on again by the next one: nothing is made, brought up to
    /// date or set aside. `None` where nothing was ever kept.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn left_in(folder: &Path) -> Result<Option<Self>, OpenError> {
        let path = folder.join(FILE);
        let Some(store) = Store::existing(&path)? else {
            return Ok(None);
        };
        let reopen = move || {
            Store::existing(&path)?.ok_or_else(|| OpenError::Storage {
                path: path.clone(),
                reason: "it was there a moment ago".to_owned(),
            })
        };
        Self::begin(store, Box::new(reopen), usize::MAX).map(Some)
    }

    /// Whether a folder has a journal.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// Opens the journal that a backend of redb holds, which `backend` gives as often as it is opened anew.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn on<B: StorageBackend>(
        backend: impl Fn() -> B + Send + 'static,
        capacity: usize,
    ) -> Result<Self, OpenError> {
        let mut store = Store::on(backend())?;
        store.compact().map_err(unusable)?;
        Self::begin(store, Box::new(move || Store::on(backend())), capacity)
    }

    fn begin(store: Store, reopen: Reopen, capacity: usize) -> Result<Self, OpenError> {
        let mut kept = store.load().map_err(unusable)?;
        let shelf = Arc::new(Shelf::default());
        let waiting = kept.waiting.len();
        let mut replaced = Vec::new();
        for queued in std::mem::take(&mut kept.waiting) {
            let by = queued.delivery.clone();
            let key = kept.open.get(&by).and_then(form::key);
            let before = shelf.place(vec![queued], key.as_ref());
            replaced.extend(before.into_iter().flatten().zip([by]));
        }
        if waiting > 0 {
            info!(
                events = waiting,
                "deliveries of an earlier run are worked on"
            );
        }
        let (orders, ordered) = mpsc::channel();
        let (end, ended) = tokio::sync::watch::channel(false);
        let writer = Writer::new(Disk::new(store, reopen), Arc::clone(&shelf), capacity, kept);
        let thread = thread::Builder::new().name("journal".to_owned());
        let spawned = thread.spawn(move || {
            writer.run(&ordered);
            end.send_replace(true);
        });
        spawned.map_err(|source| OpenError::Folder {
            path: PathBuf::from(FILE),
            source,
        })?;
        let journal = Self {
            shelf,
            orders: Mutex::new(Some(orders)),
            ended,
        };
        for (before, by) in replaced {
            let batch = Batch {
                image: before.event.image.clone(),
                events: vec![before],
            };
            journal.end(&batch, Fate::Superseded(by));
        }
        Ok(journal)
    }

    /// Writes what is left, and closes the file. Nothing can be pushed any more.
    pub async fn close(&self) {
        self.orders().take();
        let mut ended = self.ended.clone();
        // Fails where the thread has ended otherwise, and then there is nothing to wait for either.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn end(&self, batch: &Batch, fate: Fate) {
        let order = Order::End {
            events: batch.events.clone(),
            at: SystemTime::now(),
            fate,
        };
        // Where it is closed, the batch is given again after the next start.
        let _ = self.order(order);
    }

    fn order(&self, order: Order) -> Result<(), LogError> {
        let closed =
            || LogError::Unavailable("the journal is closed, as the program ends".to_owned());
        let orders = self.orders();
        let sender = orders.as_ref().ok_or_else(closed)?;
        sender.send(order).map_err(|_| closed())
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a row of the file says of a delivery, and what of it waits.
///
/// # Errors
/// Why it cannot be read.
pub fn delivery_in(row: &[u8]) -> Result<(DeliveryRecord, Vec<QueuedEvent>), String> {
    let row = store::read(row)?;
    let waiting = form::waiting(&row)?;
    Ok((row.try_into()?, waiting))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unusable(error: StoreError) -> OpenError {
    OpenError::Storage {
        path: PathBuf::from(FILE),
        reason: error.to_string(),
    }
}

fn gone() -> LogError {
    LogError::Unavailable(
        "the journal has ended by a mistake in this program: please report it".to_owned(),
    )
}

/// Moves a file out of the way, to a name that says since when.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let aside = path.with_extension(format!("redb.damaged-{seconds}"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

#[async_trait]
impl EventQueue for Journal {
    async fn push(&self, accepted: Verified<Accepted>) -> Result<Pushed, QueueError> {
        let unavailable = |LogError::Unavailable(reason)| QueueError::Unavailable {
            reason,
            retry_after: RETRY_AFTER,
        };
        let (answer, answered) = oneshot::channel();
        let accepted = accepted.into_inner();
        self.order(Order::Push { accepted, answer })
            .map_err(unavailable)?;
        answered.await.unwrap_or_else(|_| Err(unavailable(gone())))
    }

    async fn next(&self) -> Batch {
        self.shelf.next().await
    }

    fn is_kept(&self, _: &Batch) -> bool {
        true
    }

    async fn done(&self, batch: &Batch, fate: &Fate) {
        self.shelf.end(batch);
        self.end(batch, fate.clone());
    }

    fn load(&self) -> Load {
        self.shelf.load()
    }
}
