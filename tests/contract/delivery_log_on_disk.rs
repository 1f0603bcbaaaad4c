//! The journal's log, asked in the process that has it and from another one.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use image_updater::adapters::delivery_socket::client::RunningProcess;
use image_updater::adapters::delivery_socket::server::DeliverySocket;
use image_updater::adapters::journal::Journal;
use tempfile::TempDir;

use crate::delivery_log::Logged;
use crate::delivery_log::suite;

/// A folder of its own, which goes with the one around it.
fn folder_in(all: &TempDir) -> PathBuf {
    TempDir::new_in(all.path()).unwrap().keep()
}

fn journal(folder: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(folder, 10).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let all = TempDir::new().unwrap();
    suite(async || {
        let journal = journal(&folder_in(&all));
        Logged {
            queue: Arc::clone(&journal) as _,
            log: journal,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_over_a_socket() {
    let all = TempDir::new().unwrap();
    suite(async || {
        let folder = folder_in(&all);
        let journal = journal(&folder);
        let socket = DeliverySocket::open(&folder, Arc::clone(&journal) as _).unwrap();
        tokio::spawn(socket.serve());
        Logged {
            queue: journal,
            log: Arc::new(RunningProcess::of(&folder).await.unwrap()),
        }
    })
    .await;
}
