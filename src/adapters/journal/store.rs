//! What is on disk: a row for each delivery, in one file.

use std::collections::HashMap;
use std::ops::Bound;

use redb::Database;
use redb::ReadableDatabase;
use redb::ReadableTable;
use redb::TableDefinition;
use tracing::error;

use super::error::StoreError;
use super::forgetting;
use super::form;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::record::DeliveryRecord;

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
    pub(super) database: Database,
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
