//! A disk that is full for a while, or fails.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use image_updater::adapters::journal::Journal;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::delivery_log::Redelivery;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::QueueError;
use redb::StorageBackend;
use redb::backends::FileBackend;
use tempfile::TempDir;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::support::fate;
use crate::support::push;
use crate::support::take_all;
use crate::support::until_taken;

/// Longer than anything takes on a slow machine.
const LONG: Duration = Duration::from_secs(20);
/// So many syncs are never reached.
const NEVER: usize = usize::MAX / 2;

/// What is wrong with a disk.
#[derive(Debug)]
struct Faults {
    is_full: AtomicBool,
    /// How many more syncs go well. After that each says that it failed, though all is there.
    syncs: AtomicUsize,
}

impl Faults {
    fn none() -> Arc<Self> {
        Arc::new(Self {
            is_full: AtomicBool::new(false),
            syncs: AtomicUsize::new(NEVER),
        })
    }

    fn room(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let spend = |left: usize| left.checked_sub(1);
        let spent = self
            .syncs
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend);
        spent.map_or_else(|_| Err(io::Error::other("failed sync")), |_| Ok(()))
    }
}

/// A file on a disk with faults.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    faults: Arc<Faults>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.faults.room()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()?;
        self.faults.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.faults.room()?;
        self.file.write(offset, data)
    }
}

fn journal(folder: &TempDir, faults: &Arc<Faults>) -> Journal {
    let path = folder.path().join("file");
    let faults = Arc::clone(faults);
    let disk = move || {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        Disk {
            file: FileBackend::new(file.open(&path).unwrap()).unwrap(),
            faults: Arc::clone(&faults),
        }
    };
    Journal::on(disk, 100).unwrap()
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(LONG, work).await.unwrap()
}

/// What the log says of all deliveries, as soon as it says anything.
async fn listed(journal: &Journal) -> Vec<String> {
    loop {
        let Ok(records) = journal.list(None, 10).await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let shown = records.iter();
        return shown
            .map(|record| format!("{} {}", record.id, record.progress().name()))
            .collect();
    }
}

#[tokio::test]
async fn it_refuses_and_loses_nothing_and_goes_on_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let faults = Faults::none();
    let journal = journal(&folder, &faults);
    push(&journal, "d1", &["quay.io/a/one:1"]).await.unwrap();
    push(&journal, "d2", &["quay.io/a/two:1"]).await.unwrap();
    faults.is_full.store(true, Ordering::SeqCst);
    for delivery in ["d3", "d4"] {
        let refused = push(&journal, delivery, &["quay.io/a/three:1"]).await;
        assert!(
            matches!(refused, Err(QueueError::Unavailable { .. })),
            "{refused:?}"
        );
    }
    // The work goes on meanwhile, and what comes of it is noted when there is room again.
    let batch = journal.next().await;
    journal.done(&batch, &fate(ImageOutcome::Changed)).await;
    faults.is_full.store(false, Ordering::SeqCst);
    soon(until_taken(&journal, "d5", "quay.io/a/five:1")).await;
    journal.close().await;
    drop(journal);

    let journal = self::journal(&folder, &faults);
    assert_eq!(
        take_all(&journal),
        ["d2 quay.io/a/two:1", "d5 quay.io/a/five:1"]
    );
}

/// A journal in which d1 has failed and d2 waits, which then refuses another delivery of d1, or d3, as the sync fails.
async fn refused(folder: &TempDir, faults: &Arc<Faults>, is_again: bool) -> Journal {
    let journal = journal(folder, faults);
    push(&journal, "d1", &["quay.io/a/one:1"]).await.unwrap();
    let batch = journal.next().await;
    journal.done(&batch, &fate(ImageOutcome::Failed)).await;
    push(&journal, "d2", &["quay.io/a/two:1"]).await.unwrap();
    assert_eq!(listed(&journal).await, ["d2 open", "d1 failed"]);
    faults.syncs.store(0, Ordering::SeqCst);
    if is_again {
        journal.redeliver(&DeliveryId::new("d1")).await.unwrap_err();
    } else {
        let pushed = push(&journal, "d3", &["quay.io/a/three:1"]).await;
        assert!(
            matches!(pushed, Err(QueueError::Unavailable { .. })),
            "{pushed:?}"
        );
    }
    faults.syncs.store(NEVER, Ordering::SeqCst);
    journal
}

#[tokio::test]
async fn what_was_refused_is_not_worked_on_after_a_new_start() {
    for is_again in [false, true] {
        let (folder, faults) = (TempDir::new().unwrap(), Faults::none());
        refused(&folder, &faults, is_again).await.close().await;
        let journal = journal(&folder, &faults);
        assert_eq!(take_all(&journal), ["d2 quay.io/a/two:1"]);
        assert_eq!(listed(&journal).await, ["d2 open", "d1 failed"]);
    }
}

#[tokio::test]
async fn what_was_refused_is_not_shown() {
    let shown = async |is_again| {
        let (folder, faults) = (TempDir::new().unwrap(), Faults::none());
        let journal = refused(&folder, &faults, is_again).await;
        let shown = soon(listed(&journal)).await;
        // It can be had again.
        let again = journal.redeliver(&DeliveryId::new("d1")).await;
        assert_eq!(again, Ok(Redelivery::Queued));
        shown
    };
    let (new, again) = tokio::join!(shown(false), shown(true));
    assert_eq!(new, ["d2 open", "d1 failed"]);
    assert_eq!(again, new);
}

#[tokio::test]
async fn what_waits_is_on_disk_again_where_somebody_made_room_by_removing_it() {
    let (folder, faults) = (TempDir::new().unwrap(), Faults::none());
    let journal = journal(&folder, &faults);
    push(&journal, "d1", &["quay.io/a/one:1"]).await.unwrap();
    faults.is_full.store(true, Ordering::SeqCst);
    push(&journal, "d2", &["quay.io/a/two:1"])
        .await
        .unwrap_err();
    std::fs::remove_file(folder.path().join("file")).unwrap();
    faults.is_full.store(false, Ordering::SeqCst);
    soon(until_taken(&journal, "d3", "quay.io/a/three:1")).await;
    journal.close().await;
    drop(journal);

    let journal = self::journal(&folder, &faults);
    let expected = ["d1 quay.io/a/one:1", "d3 quay.io/a/three:1"];
    assert_eq!(take_all(&journal), expected);
}
