//! The shared queue, on a real server.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::adapters::nats::names::Names;

use crate::event_queue::suite;
use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::replica::options;
use crate::replica::settled;

/// A queue by that number, of a replica that has all the work for itself.
pub(crate) async fn alone(server: &Nats, number: usize, capacity: usize) -> SharedQueue {
    let queue = SharedQueue::open(Options {
        names: Names::new(&format!("queue-{number}")).unwrap(),
        capacity,
        ..options(server, PASSWORD)
    });
    let queue = queue.await.unwrap();
    settled([&queue]).await;
    queue
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let count = AtomicUsize::new(0);
    suite(async |capacity| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Arc::new(alone(&server, number, capacity).await) as _
    })
    .await;
}
