//! Files that are no journal, or not any more.

use std::fs;

use image_updater::adapters::journal::Journal;
use image_updater::adapters::journal::error::OpenError;
use image_updater::ports::event_queue::EventQueue;
use proptest::prelude::*;
use redb::Database;
use redb::ReadableDatabase;
use redb::TableDefinition;
use tempfile::TempDir;

use crate::support::push;
use crate::support::take_all;

/// The names of the files in a folder.
fn names(folder: &TempDir) -> Vec<String> {
    let files = fs::read_dir(folder.path()).unwrap();
    let name =
        |file: std::io::Result<fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = files.map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_no_journal_is_set_aside() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("journal.redb"),
        "no journal".repeat(1000),
    )
    .unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    push(&journal, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let names = names(&folder);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[1].starts_with("journal.redb.damaged-"), "{names:?}");
}

#[test]
fn who_only_looks_leaves_what_is_no_journal_as_it_is() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Journal::left_in(folder.path()), Ok(None)));
    assert_eq!(names(&folder), [""; 0]);
    let file = folder.path().join("journal.redb");
    fs::write(&file, "").unwrap();
    assert!(matches!(Journal::left_in(folder.path()), Ok(None)));
    for content in ["no journal".to_owned(), "no journal".repeat(1000)] {
        fs::write(&file, &content).unwrap();
        let left = Journal::left_in(folder.path());
        assert!(matches!(left, Err(OpenError::Damaged { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    assert_eq!(names(&folder), ["journal.redb"]);
}

#[test]
fn who_only_looks_leaves_another_version_as_it_is() {
    const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("journal.redb");
    let database = || Database::create(&file).unwrap();
    drop(database());
    let left = || Journal::left_in(folder.path());
    assert!(matches!(left(), Ok(None)), "nothing was kept in it");
    for version in [1, 99] {
        let transaction = database().begin_write().unwrap();
        let about = transaction.open_table(ABOUT);
        about.unwrap().insert("version", version).unwrap();
        transaction.commit().unwrap();
        match left() {
            Err(OpenError::TooOld { found: 1, .. } | OpenError::TooNew { found: 99, .. }) => {}
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it is of another version"),
        }
        let database = database();
        let about = database.begin_read().unwrap().open_table(ABOUT).unwrap();
        assert_eq!(about.get("version").unwrap().unwrap().value(), version);
    }
}

/// A journal with three deliveries, as bytes.
fn bytes() -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = TempDir::new().unwrap();
    runtime.block_on(async {
        let journal = Journal::open(folder.path(), 10).unwrap();
        for delivery in ["d1", "d2", "d3"] {
            let image = format!("quay.io/a/{delivery}:1");
            push(&journal, delivery, &[&image]).await.unwrap();
        }
        journal.close().await;
    });
    fs::read(folder.path().join("journal.redb")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn no_damage_stops_it(
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut damaged = bytes();
        for (place, value) in hits {
            let place = place.index(damaged.len());
            damaged[place] = value;
        }
        if let Some(cut) = cut {
            damaged.truncate(cut.index(damaged.len()));
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("journal.redb"), damaged).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let journal = Journal::open(folder.path(), 10).unwrap();
        let kept = take_all(&journal).len();
        prop_assert!(kept <= 3);
        runtime.block_on(push(&journal, "e1", &["quay.io/a/b:1"])).unwrap();
        prop_assert_eq!(journal.load().open, kept + 1);
    }
}
