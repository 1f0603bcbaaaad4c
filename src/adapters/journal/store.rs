//! What is on disk: a row for each delivery, in one file.

use std::collections::HashMap;
use std::fs;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;

use redb::Builder;
use redb::Database;
use redb::ReadableDatabase;
use redb::ReadableTable;
use redb::StorageBackend;
use redb::TableDefinition;
use redb::TableError;
use tracing::error;

use super::error::OpenError;
use super::error::StoreError;
use super::forgetting;
use super::form;
use super::upgrade;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::record::DeliveryRecord;

/// What this program writes. A file of a lower version is brought up to it when it is opened.
pub(super) const VERSION: u64 = 2;
/// Memory for pages of the file, in bytes.
const CACHE: usize = 4 * 1024 * 1024;

/// How many bytes of rows are read at once for people, and one row in any case: what is to be written waits meanwhile.
const LARGE: usize = 1024 * 1024;

/// `version`.
pub(super) const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");
/// Deliveries by their name, which begins with the time: [`RecordForm`].
pub(super) const DELIVERIES: TableDefinition<&str, &[u8]> = TableDefinition::new("deliveries");

/// Rows by the names of their deliveries.
pub(super) type Rows = HashMap<DeliveryId, RecordForm>;

/// The file.
pub(super) struct Store {
    database: Database,
}

/// What was on disk and is not done.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The deliveries of which something waits.
    pub(super) open: Rows,
    /// What waits, oldest first.
    pub(super) waiting: Vec<QueuedEvent>,
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

    /// Opens a file for a look at it: none is made, and none brought up to this program's version. `None` where nothing was ever kept.
    pub(super) fn existing(path: &Path) -> Result<Option<Self>, OpenError> {
        let is_none = match fs::metadata(path) {
            // As the server leaves it that is killed in its first moment.
            Ok(file) => file.len() == 0,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_none {
            return Ok(None);
        }
        let database = builder().open(path);
        let database = database.map_err(|error| opening(error.into(), path))?;
        let store = Self { database };
        let found = store
            .noted_version()
            .map_err(|StoreError(error)| opening(error, path))?;
        match found {
            None => Ok(None),
            Some(found) if found < VERSION => Err(OpenError::TooOld {
                path: path.to_owned(),
                found,
            }),
            Some(found) => known(found, path).map(|()| Some(store)),
        }
    }

    fn of(database: Database, path: &Path) -> Result<Self, OpenError> {
        let store = Self { database };
        let found = store
            .version()
            .map_err(|StoreError(error)| opening(error, path))?;
        known(found, path)?;
        Ok(store)
    }

    /// The version that the file says it has; `None` where nothing was ever written to it.
    fn noted_version(&self) -> Result<Option<u64>, StoreError> {
        let about = match self.database.begin_read()?.open_table(ABOUT) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            about => about?,
        };
        Ok(about.get("version")?.map(|version| version.value()))
    }

    /// The version that the file had; an older one is brought up to this program's, and so is a new one.
    fn version(&self) -> Result<u64, StoreError> {
        let transaction = self.database.begin_write()?;
        let version = {
            let mut about = transaction.open_table(ABOUT)?;
            let known = about.get("version")?.map(|version| version.value());
            let mut deliveries = transaction.open_table(DELIVERIES)?;
            if known == Some(1) {
                upgrade::from_1(&transaction, &mut deliveries)?;
            }
            if known.is_none_or(|known| known < VERSION) {
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
        let mut kept = Kept::default();
        for row in transaction.open_table(DELIVERIES)?.iter()? {
            let (id, form) = row?;
            let read = read(form.value()).and_then(|row| Ok((form::waiting(&row)?, row)));
            let Some((mut waiting, row)) = told(id.value(), read) else {
                continue;
            };
            if form::is_open(&row) {
                kept.waiting.append(&mut waiting);
                kept.open.insert(DeliveryId::new(id.value()), row);
            }
        }
        kept.waiting.sort_unstable_by_key(|queued| queued.entry);
        kept.next = kept
            .waiting
            .last()
            .map_or(1, |last| last.entry.0.saturating_add(1));
        Ok(kept)
    }

    /// Writes all rows, or none. When it returns, they are on disk. Deliveries that are too many are forgotten, but for those that are open and
    /// those that are written.
    pub(super) fn write<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r RecordForm>,
        open: &Rows,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut deliveries = transaction.open_table(DELIVERIES)?;
            let mut written = Vec::new();
            for row in rows {
                deliveries.insert(row.id.as_str(), json(row).as_slice())?;
                written.push(row.id.as_str());
            }
            forgetting::forget(&mut deliveries, open, &written)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Takes back what was refused and may have been written, to the rows as they were, and writes what is open and missing, as somebody who makes
    /// room on a full disk may remove the file.
    pub(super) fn settle(
        &self,
        refused: &HashMap<DeliveryId, Option<RecordForm>>,
        open: &Rows,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut deliveries = transaction.open_table(DELIVERIES)?;
            for (id, before) in refused {
                match before {
                    Some(row) => deliveries.insert(id.as_str(), json(row).as_slice())?,
                    None => deliveries.remove(id.as_str())?,
                };
            }
            for (id, row) in open {
                if deliveries.get(id.as_str())?.is_none() {
                    deliveries.insert(id.as_str(), json(row).as_slice())?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The newest deliveries, or the newest that came before one, so many at the most, and no more than [`LARGE`] bytes of them.
    pub(super) fn list(
        &self,
        before: Option<&DeliveryId>,
        most: usize,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let transaction = self.database.begin_read()?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(id.as_str()));
        let mut rows = deliveries.range::<&str>((Bound::Unbounded, end))?.rev();
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < most && bytes < LARGE {
            let Some(row) = rows.next() else {
                break;
            };
            let (id, form) = row?;
            let read = read(form.value()).and_then(DeliveryRecord::try_from);
            if let Some(record) = told(id.value(), read) {
                records.push(record);
                bytes += form.value().len();
            }
        }
        Ok(records)
    }

    /// One delivery.
    pub(super) fn find(&self, id: &DeliveryId) -> Result<Option<RecordForm>, StoreError> {
        let transaction = self.database.begin_read()?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let found = deliveries.get(id.as_str())?;
        Ok(found.and_then(|form| told(id.as_str(), read(form.value()))))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder.set_check_integrity_on_open(true);
    builder
}

/// Whether this program knows a version.
fn known(found: u64, path: &Path) -> Result<(), OpenError> {
    if found <= VERSION {
        return Ok(());
    }
    Err(OpenError::TooNew {
        path: path.to_owned(),
        found,
        known: VERSION,
    })
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

pub(super) fn json(form: &impl serde::Serialize) -> Vec<u8> {
    // Texts and numbers alone: it cannot fail.
    serde_json::to_vec(form).unwrap_or_default()
}

/// A delivery as its row says.
pub(super) fn read(row: &[u8]) -> Result<RecordForm, String> {
    serde_json::from_slice(row).map_err(|error| error.to_string())
}

/// What was read; where it could not be, that is told.
fn told<T>(delivery: &str, read: Result<T, String>) -> Option<T> {
    read.inspect_err(|reason| {
        error!(
            delivery,
            reason, "a delivery in the journal cannot be read, and nothing of it is worked on"
        );
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// The row of a delivery that has no events, as none matter here.
    fn row(id: &str) -> RecordForm {
        RecordForm {
            id: id.to_owned(),
            sender: "quay.io".to_owned(),
            key: None,
            at: 0,
            trace: None,
            events: Vec::new(),
        }
    }

    fn rows(count: usize) -> Rows {
        let names = (0..count).map(|number| format!("d{number:05}"));
        names
            .map(|id| (DeliveryId::new(id.as_str()), row(&id)))
            .collect()
    }

    fn knows(store: &Store, id: &str) -> bool {
        store.find(&DeliveryId::new(id)).unwrap().is_some()
    }

    #[test]
    fn what_is_written_stays_however_much_is_open() {
        let store = Store::on(InMemoryBackend::new()).unwrap();
        let open = rows(10_300);
        store.write(open.values(), &open).unwrap();
        store.write([&row("e")], &open).unwrap();
        assert!(knows(&store, "e") && knows(&store, "d00000"));
    }

    #[test]
    fn large_ones_are_listed_few_at_once() {
        let store = Store::on(InMemoryBackend::new()).unwrap();
        let mut large = rows(12);
        for row in large.values_mut() {
            row.sender = "x".repeat(LARGE / 4);
        }
        large.insert(DeliveryId::new("e"), row("e"));
        store.write(large.values(), &Rows::new()).unwrap();
        let (mut before, mut sizes) = (None, Vec::new());
        loop {
            let page = store.list(before.as_ref(), 100).unwrap();
            sizes.push(page.len());
            let Some(last) = page.last() else {
                break;
            };
            before = Some(last.id.clone());
        }
        assert_eq!(before, Some(DeliveryId::new("d00000")));
        assert_eq!(sizes, [5, 4, 4, 0]);
    }

    #[test]
    fn the_oldest_that_have_ended_are_forgotten_but_for_what_is_written() {
        let store = Store::on(InMemoryBackend::new()).unwrap();
        store.write(rows(10_259).values(), &HashMap::new()).unwrap();
        let open = [row("d00001")].map(|row| (DeliveryId::new(row.id.as_str()), row));
        store
            .write([&row("d00000"), &row("e")], &HashMap::from(open))
            .unwrap();
        let known = ["d00000", "d00001", "d00002", "d00258", "d00259", "e"];
        let known = known.map(|id| knows(&store, id));
        assert_eq!(known, [true, true, false, false, true, true]);
    }
}
