//! A power cut: a disk that forgets what was not synced, all of it or any part.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use image_updater::adapters::journal::Journal;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::event_queue::EventQueue;
use proptest::prelude::*;
use redb::StorageBackend;

use crate::support::fate;
use crate::support::push;
use crate::support::take_all;

/// A disk with a cache that is lost with the power.
#[derive(Debug, Default, Clone)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    synced: Vec<u8>,
    cached: Vec<u8>,
    /// What was written since the last sync, in order.
    unsynced: Vec<Write>,
    /// After how many more writes and syncs the power goes; `None`: never.
    left: Option<usize>,
}

#[derive(Debug, Clone)]
enum Write {
    Bytes(u64, Vec<u8>),
    Length(u64),
}

impl Write {
    fn to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
            Self::Bytes(at, data) => {
                let at = usize::try_from(*at).unwrap();
                if bytes.len() < at + data.len() {
                    bytes.resize(at + data.len(), 0);
                }
                bytes[at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

impl Platter {
    /// Uses up one write or sync, unless the power is gone.
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => Err(io::Error::other("no power")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, write: Write) -> io::Result<()> {
        self.spend()?;
        write.to(&mut self.cached);
        self.unsynced.push(write);
        Ok(())
    }
}

impl Disk {
    fn platter(&self) -> std::sync::MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// What the disk holds after a cut, where of the unsynced writes those survived for which `survives` says so. The last one may be torn.
    fn after_cut(&self, survives: impl Fn(usize) -> bool, torn: bool) -> Self {
        let platter = self.platter();
        let mut bytes = platter.synced.clone();
        let last = platter.unsynced.len().wrapping_sub(1);
        for (number, write) in platter.unsynced.iter().enumerate() {
            let write = match write {
                Write::Bytes(at, data) if torn && number == last => {
                    Write::Bytes(*at, data[..data.len() / 2].to_vec())
                }
                other => other.clone(),
            };
            if survives(number) {
                write.to(&mut bytes);
            }
        }
        Self(Arc::new(Mutex::new(Platter {
            synced: bytes.clone(),
            cached: bytes,
            ..Platter::default()
        })))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let platter = self.platter();
        let found = platter.cached.get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.platter().write(Write::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.spend()?;
        let cached = std::mem::take(&mut platter.cached);
        platter.synced.clone_from(&cached);
        platter.cached = cached;
        platter.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.platter().write(Write::Bytes(offset, data.to_vec()))
    }
}

/// Pushes deliveries, ends the work on every third, and lets the power go after so many writes. Gives the disk, what was promised to wait, and
/// what may have ended.
async fn run(writes: usize) -> (Disk, Vec<String>, Vec<String>) {
    let disk = Disk::default();
    let own = disk.clone();
    let journal = Journal::on(move || own.clone(), 1000).unwrap();
    disk.platter().left = Some(writes);
    let (mut promised, mut ended) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let image = format!("quay.io/a/b{number}:1");
        let delivery = format!("d{number:02}");
        if push(&journal, &delivery, &[&image]).await.is_ok() {
            let text = format!("{delivery} {image}");
            if number % 3 == 0 {
                let batch = journal.next().await;
                ended.extend(
                    batch
                        .events
                        .iter()
                        .map(|queued| format!("{} {}", queued.delivery, queued.event)),
                );
                journal.done(&batch, &fate(ImageOutcome::Changed)).await;
            }
            promised.push(text);
        }
    }
    journal.close().await;
    (disk, promised, ended)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn every_promise_survives(writes in 0_usize..400, survivors in any::<u64>(), torn in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (disk, promised, ended) = runtime.block_on(run(writes));
        let survives = |number: usize| survivors >> (number % 64) & 1 == 1;
        let after = disk.after_cut(survives, torn);
        let own = after.clone();
        let journal = Journal::on(move || own.clone(), 1000).unwrap();
        let waiting = take_all(&journal);
        for text in &promised {
            let is_there = waiting.contains(text) || ended.contains(text);
            prop_assert!(is_there, "{text} is lost, of {promised:?}; waiting: {waiting:?}");
        }
        // Nothing waits that nobody sent, and nothing twice.
        let mut once = waiting.clone();
        once.dedup();
        prop_assert_eq!(&once, &waiting);
        // It goes on being of use.
        runtime.block_on(push(&journal, "e1", &["quay.io/a/later:1"])).unwrap();
        prop_assert_eq!(take_all(&journal), ["e1 quay.io/a/later:1"]);
    }
}
