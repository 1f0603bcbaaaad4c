//! From older versions of the file to this one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use redb::ReadableTable;
use redb::Table;
use redb::TableDefinition;
use redb::WriteTransaction;
use serde::Deserialize;
use tracing::error;
use tracing::info;

use super::error::StoreError;
use super::store::json;
use super::store::read;
use crate::adapters::wire::journal::EventForm;
use crate::adapters::wire::journal::EventRecordForm;
use crate::adapters::wire::journal::RecordForm;
use crate::adapters::wire::journal::WaitForm;

/// What waited in version 1, by number.
const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");

/// An event that waited in version 1.
#[derive(Debug, Clone, Deserialize)]
struct EntryForm {
    /// The delivery that last announced it.
    delivery: String,
    /// When that came in or was begun again, in milliseconds since 1970.
    at: u64,
    #[serde(flatten)]
    event: EventForm,
}

/// In version 1 what waits had a table of its own. Now the row of its delivery says that it does.
pub(super) fn from_1(
    transaction: &WriteTransaction,
    deliveries: &mut Table<'_, &'static str, &'static [u8]>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<String, RecordForm> = BTreeMap::new();
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (number, form) = entry?;
        let number = number.value();
        let known = |id: &str| {
            let row = deliveries.get(id).ok().flatten();
            row.and_then(|row| read(row.value()).ok())
        };
        if let Err(reason) = note(number, form.value(), &mut rows, known) {
            error!(
                entry = number,
                reason, "an event in the journal cannot be read and is not worked on"
            );
        }
    }
    for (id, row) in &rows {
        deliveries.insert(id.as_str(), json(row).as_slice())?;
    }
    transaction.delete_table(ENTRIES)?;
    info!("the journal is brought up to a new version");
    Ok(())
}

/// Notes in the row of its delivery that an event waits.
fn note(
    number: u64,
    form: &[u8],
    rows: &mut BTreeMap<String, RecordForm>,
    known: impl Fn(&str) -> Option<RecordForm>,
) -> Result<(), String> {
    let entry: EntryForm = serde_json::from_slice(form).map_err(|error| error.to_string())?;
    let row = match rows.entry(entry.delivery) {
        Entry::Occupied(row) => row.into_mut(),
        Entry::Vacant(free) => {
            let row = known(free.key()).ok_or("nothing is known of its delivery")?;
            free.insert(row)
        }
    };
    let came = row.at;
    let is_meant = |known: &&mut EventRecordForm| {
        let (event, meant) = (&known.event, &entry.event);
        known.ended.is_none() && (&event.image, &event.tag) == (&meant.image, &meant.tag)
    };
    let event = row.events.iter_mut().find(is_meant);
    let event = event.ok_or("its delivery does not announce it")?;
    event.waits = Some(WaitForm {
        entry: number,
        since: (entry.at != came).then_some(entry.at),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use redb::Database;
    use redb::ReadableDatabase;

    use super::super::opening::VERSION;
    use super::super::store::Store;
    use super::*;

    const DELIVERIES: TableDefinition<&str, &[u8]> = TableDefinition::new("deliveries");
    const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");

    /// A file as version 1 wrote it, of which `d1` is half done and `d2`, which was begun again, waits.
    fn version_1(path: &Path, more: &[(u64, &str)]) {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut about = transaction.open_table(ABOUT).unwrap();
            about.insert("version", 1).unwrap();
            about.insert("next", 8).unwrap();
            let mut deliveries = transaction.open_table(DELIVERIES).unwrap();
            for (id, row) in [
                (
                    "d1",
                    r#"{"id":"d1","sender":"quay.io","key":"quay.io k","at":1000,"events":[{"image":"quay.io/a/b","tag":"1","ended":{"at":1500}},{"image":"quay.io/a/b","tag":"2","digest":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49"}]}"#,
                ),
                (
                    "d2",
                    r#"{"id":"d2","sender":"ghcr.io","at":2000,"events":[{"image":"ghcr.io/a/b","tag":"3"}]}"#,
                ),
                (
                    "d3",
                    r#"{"id":"d3","sender":"ghcr.io","at":2001,"events":[{"image":"ghcr.io/a/b","tag":"4","ended":{"at":2002,"superseded_by":"d2"}}]}"#,
                ),
            ] {
                deliveries.insert(id, row.as_bytes()).unwrap();
            }
            let mut entries = transaction.open_table(ENTRIES).unwrap();
            for (number, row) in [
                (
                    7,
                    r#"{"delivery":"d1","at":1000,"image":"quay.io/a/b","tag":"2","digest":"sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49"}"#,
                ),
                (
                    5,
                    r#"{"delivery":"d2","at":9000,"image":"ghcr.io/a/b","tag":"3"}"#,
                ),
            ]
            .iter()
            .chain(more)
            {
                entries.insert(number, row.as_bytes()).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    #[test]
    fn what_waited_in_version_1_waits_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let bad = [
            (1, "no JSON"),
            (2, r#"{"delivery":"d9","at":1,"image":"a.io/b","tag":"1"}"#),
            (3, r#"{"delivery":"d2","at":1,"image":"a.io/b","tag":"1"}"#),
        ];
        version_1(&path, &bad);
        // The second time it is of this version.
        for _ in 0..2 {
            let kept = Store::open(&path).unwrap().load().unwrap();
            let waiting = kept.waiting.iter().map(|queued| {
                let since = queued.at.duration_since(std::time::UNIX_EPOCH).unwrap();
                let text = format!("{} {}", queued.delivery, queued.event);
                (queued.entry.0, text, since.as_millis())
            });
            let digest = "sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49";
            assert_eq!(
                waiting.collect::<Vec<_>>(),
                [
                    (5, "d2 ghcr.io/a/b:3".to_owned(), 9000),
                    (7, format!("d1 quay.io/a/b:2@{digest}"), 1000),
                ]
            );
            assert_eq!((kept.open.len(), kept.next), (2, 8));
        }
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_read().unwrap();
        let about = transaction.open_table(ABOUT).unwrap();
        assert_eq!(about.get("version").unwrap().unwrap().value(), VERSION);
        assert!(transaction.open_table(ENTRIES).is_err());
        // What had ended is as it was.
        let deliveries = transaction.open_table(DELIVERIES).unwrap();
        let row = read(deliveries.get("d3").unwrap().unwrap().value()).unwrap();
        assert!(row.events[0].ended.is_some() && row.events[0].waits.is_none());
    }
}
