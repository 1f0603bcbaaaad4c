//! What is on disk: three tables in one file.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use redb::Builder;
use redb::Database;
use redb::ReadableDatabase;
use redb::ReadableTable;
use redb::ReadableTableMetadata;
use redb::StorageBackend;
use redb::Table;
use redb::TableDefinition;
use redb::WriteTransaction;
use tracing::error;

use super::error::OpenError;
use super::error::StoreError;
use crate::adapters::wire::journal::EntryForm;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::entry::EntryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::Progress;

/// What this program writes. A file of a lower version is brought up to it when it is opened.
pub(super) const VERSION: u64 = 1;
/// Memory for pages of the file, in bytes.
const CACHE: usize = 4 * 1024 * 1024;
/// How many deliveries are remembered. What waits or is in work is kept beyond that.
const REMEMBERED: u64 = 10_000;
/// How many old deliveries are looked at in one go to find some that can be forgotten.
const LOOKED_AT: usize = 64;

/// `version`, and `next`: the number of the next entry.
const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");
/// What waits or is in work, by number: [`EntryForm`].
const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");
/// Deliveries by their name, which begins with the time: [`RecordForm`].
const DELIVERIES: TableDefinition<&str, &[u8]> = TableDefinition::new("deliveries");

type Rows<'t, K> = Table<'t, K, &'static [u8]>;

/// The file.
pub(super) struct Store {
    database: Database,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// A delivery, and what waits of it.
    Begin {
        record: DeliveryRecord,
        entries: Vec<QueuedEvent>,
    },
    /// What became of an event.
    End {
        queued: QueuedEvent,
        at: SystemTime,
        fate: Fate,
    },
}

/// What was on disk.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What waits, oldest first, with the name that its sender has for its delivery.
    pub(super) waiting: Vec<(QueuedEvent, Option<SenderKey>)>,
    /// The number of the next entry.
    pub(super) next: u64,
}

impl Store {
    /// Opens the file, or makes it. It is checked as a whole: what a crash left half-way is taken back to the last commit.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let is_new = !path.exists();
        let database = builder().create(path);
        let database = database.map_err(|error| opening(error.into(), path))?;
        if is_new {
            // Its name is as durable as what is in it.
            path.parent()
                .map_or(Ok(()), sync)
                .map_err(|source| OpenError::Folder {
                    path: path.to_owned(),
                    source,
                })?;
        }
        Self::of(database, path)
    }

    /// Opens what a backend holds.
    pub(super) fn on(backend: impl StorageBackend) -> Result<Self, OpenError> {
        let path = Path::new("backend");
        let database = builder().create_with_backend(backend);
        Self::of(database.map_err(|error| opening(error.into(), path))?, path)
    }

    fn of(database: Database, path: &Path) -> Result<Self, OpenError> {
        let store = Self { database };
        let found = store
            .version()
            .map_err(|StoreError(error)| opening(error, path))?;
        if found > VERSION {
            return Err(OpenError::TooNew {
                path: path.to_owned(),
                found,
                known: VERSION,
            });
        }
        Ok(store)
    }

    /// The version of the file; a new one gets this program's.
    fn version(&self) -> Result<u64, StoreError> {
        let transaction = self.database.begin_write()?;
        let version = {
            let mut about = transaction.open_table(ABOUT)?;
            let known = about.get("version")?.map(|version| version.value());
            transaction.open_table(ENTRIES)?;
            transaction.open_table(DELIVERIES)?;
            if known.is_none() {
                about.insert("version", VERSION)?;
            }
            known.unwrap_or(VERSION)
        };
        transaction.commit()?;
        Ok(version)
    }

    /// Gives space that is not needed back to the disk, where that is much.
    pub(super) fn compact(&mut self) -> Result<(), StoreError> {
        /// Below this, in bytes, it is not worth while.
        const MUCH: u64 = 8 * 1024 * 1024;
        let transaction = self.database.begin_write()?;
        let stats = transaction.stats()?;
        transaction.abort()?;
        let needed = stats.stored_bytes() + stats.metadata_bytes();
        let held = stats.allocated_pages() * u64::try_from(stats.page_size()).unwrap_or(4096);
        if held > MUCH && held > 2 * needed {
            self.database
                .compact()
                .map_err(|error| StoreError::from(redb::Error::from(error)))?;
        }
        Ok(())
    }

    /// What waits. What cannot be read is left where it is, and told.
    pub(super) fn load(&self) -> Result<Kept, StoreError> {
        let transaction = self.database.begin_read()?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let about = transaction.open_table(ABOUT)?;
        let mut kept = Kept {
            next: about.get("next")?.map_or(1, |next| next.value()),
            ..Kept::default()
        };
        let mut keys: HashMap<DeliveryId, Option<SenderKey>> = HashMap::new();
        for row in transaction.open_table(ENTRIES)?.iter()? {
            let (number, form) = row?;
            let number = number.value();
            kept.next = kept.next.max(number + 1);
            let queued = match entry(number, form.value()) {
                Ok(queued) => queued,
                Err(reason) => {
                    error!(
                        entry = number,
                        reason, "an event in the journal cannot be read and is not worked on"
                    );
                    continue;
                }
            };
            if !keys.contains_key(&queued.delivery) {
                let found = deliveries.get(queued.delivery.as_str())?;
                let found = found.and_then(|form| record(form.value()).ok());
                let key = found.and_then(|record| record.key);
                keys.insert(queued.delivery.clone(), key);
            }
            let key = keys.get(&queued.delivery).cloned().flatten();
            kept.waiting.push((queued, key));
        }
        Ok(kept)
    }

    /// Writes all changes, or none. When it returns, they are on disk.
    pub(super) fn write(&self, changes: &[Change], next: u64) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut entries = transaction.open_table(ENTRIES)?;
            let mut deliveries = transaction.open_table(DELIVERIES)?;
            for change in changes {
                apply(change, &mut entries, &mut deliveries)?;
            }
            transaction.open_table(ABOUT)?.insert("next", next)?;
        }
        forget(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    /// The newest deliveries, so many at the most.
    pub(super) fn list(&self, most: usize) -> Result<Vec<DeliveryRecord>, StoreError> {
        let transaction = self.database.begin_read()?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let mut records = Vec::new();
        for row in deliveries.iter()?.rev().take(most) {
            let (id, form) = row?;
            match record(form.value()) {
                Ok(record) => records.push(record),
                Err(reason) => error!(
                    delivery = id.value(),
                    reason, "a delivery in the journal cannot be read"
                ),
            }
        }
        Ok(records)
    }

    /// One delivery.
    pub(super) fn show(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, StoreError> {
        let transaction = self.database.begin_read()?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let found = deliveries.get(id.as_str())?;
        Ok(found.and_then(|form| {
            let unreadable = |reason: &String| {
                error!(delivery = %id, reason, "a delivery in the journal cannot be read");
            };
            record(form.value()).inspect_err(unreadable).ok()
        }))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder.set_check_integrity_on_open(true);
    builder
}

/// Why a file cannot be opened.
fn opening(error: redb::Error, path: &Path) -> OpenError {
    let path = path.to_owned();
    let reason = error.to_string();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            OpenError::InUse(path)
        }
        redb::Error::Corrupted(_) => OpenError::Damaged { path, reason },
        // Not even the first bytes are those of such a file, or it ends before it should.
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            OpenError::Damaged { path, reason }
        }
        _ => OpenError::Storage { path, reason },
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn apply(
    change: &Change,
    entries: &mut Rows<'_, u64>,
    deliveries: &mut Rows<'_, &'static str>,
) -> Result<(), StoreError> {
    match change {
        Change::Begin {
            record,
            entries: new,
        } => {
            deliveries.insert(
                record.id.as_str(),
                json(&RecordForm::from(record)).as_slice(),
            )?;
            for queued in new {
                entries.insert(queued.entry.0, json(&EntryForm::from(queued)).as_slice())?;
            }
        }
        Change::End { queued, at, fate } => {
            entries.remove(queued.entry.0)?;
            let known = deliveries.get(queued.delivery.as_str())?;
            let known = known.and_then(|form| record(form.value()).ok());
            if let Some(mut known) = known {
                known.end(&queued.event, *at, fate);
                let form = json(&RecordForm::from(&known));
                deliveries.insert(queued.delivery.as_str(), form.as_slice())?;
            }
        }
    }
    Ok(())
}

/// Forgets the oldest deliveries of those that are too many and done.
fn forget(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut deliveries = transaction.open_table(DELIVERIES)?;
    let surplus = deliveries.len()?.saturating_sub(REMEMBERED);
    let Ok(surplus @ 1..) = usize::try_from(surplus) else {
        return Ok(());
    };
    let mut done = Vec::new();
    for row in deliveries.iter()?.take(LOOKED_AT) {
        let (id, form) = row?;
        let is_open = record(form.value()).is_ok_and(|known| known.progress() == Progress::Open);
        if !is_open && done.len() < surplus {
            done.push(id.value().to_owned());
        }
    }
    for id in done {
        deliveries.remove(id.as_str())?;
    }
    Ok(())
}

fn json(form: &impl serde::Serialize) -> Vec<u8> {
    // Texts and numbers alone: it cannot fail.
    serde_json::to_vec(form).unwrap_or_default()
}

fn entry(number: u64, form: &[u8]) -> Result<QueuedEvent, String> {
    let form: EntryForm = serde_json::from_slice(form).map_err(|error| error.to_string())?;
    form.queued(EntryId(number))
}

fn record(form: &[u8]) -> Result<DeliveryRecord, String> {
    let form: RecordForm = serde_json::from_slice(form).map_err(|error| error.to_string())?;
    form.try_into()
}
