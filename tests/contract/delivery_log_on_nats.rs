//! The log of the shared queue, on a real server.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::delivery_log::Logged;
use crate::delivery_log::suite;
use crate::event_queue_on_nats::alone;
use crate::nats_server::Nats;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let count = AtomicUsize::new(0);
    suite(async || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let queue = Arc::new(alone(&server, number, 10).await);
        Logged {
            queue: Arc::clone(&queue) as _,
            log: queue,
        }
    })
    .await;
}
