//! The journal as a queue, on a real disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use image_updater::adapters::journal::Journal;
use tempfile::TempDir;

use crate::event_queue::suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let folder = TempDir::new().unwrap();
    let count = Mutex::new(0);
    suite(async |capacity| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let own: PathBuf = folder.path().join(count.to_string());
        Arc::new(Journal::open(&own, capacity).unwrap()) as _
    })
    .await;
}
