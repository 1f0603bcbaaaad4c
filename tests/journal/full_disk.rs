//! A disk that is full for a while.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use image_updater::adapters::journal::Journal;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::QueueError;
use redb::StorageBackend;
use redb::backends::FileBackend;
use tempfile::TempDir;

use crate::support::fate;
use crate::support::push;
use crate::support::take_all;
use crate::support::until_taken;

/// A file on a disk that may be full.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    is_full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.file.write(offset, data)
    }
}

fn journal(folder: &TempDir, is_full: &Arc<AtomicBool>) -> Journal {
    let path = folder.path().join("file");
    let is_full = Arc::clone(is_full);
    let disk = move || {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        Disk {
            file: FileBackend::new(file.open(&path).unwrap()).unwrap(),
            is_full: Arc::clone(&is_full),
        }
    };
    Journal::on(disk, 100).unwrap()
}

#[tokio::test]
async fn it_refuses_and_loses_nothing_and_goes_on_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let journal = journal(&folder, &is_full);
    push(&journal, "d1", &["quay.io/a/one:1"]).await.unwrap();
    push(&journal, "d2", &["quay.io/a/two:1"]).await.unwrap();
    is_full.store(true, Ordering::SeqCst);
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
    is_full.store(false, Ordering::SeqCst);
    let again = until_taken(&journal, "d5", "quay.io/a/five:1");
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .unwrap();
    journal.close().await;
    drop(journal);

    let journal = self::journal(&folder, &is_full);
    assert_eq!(
        take_all(&journal),
        ["d2 quay.io/a/two:1", "d5 quay.io/a/five:1"]
    );
}
