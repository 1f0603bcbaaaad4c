//! The shared queue, on a real server.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::adapters::nats::connection::Address;
use image_updater::adapters::nats::connection::Login;
use image_updater::adapters::nats::names::Names;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::event_queue::suite;
use crate::nats::Nats;
use crate::nats::PASSWORD;
use crate::nats::USER;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let count = AtomicUsize::new(0);
    suite(async |capacity| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let queue = SharedQueue::open(Options {
            address: Address {
                servers: vec![server.authority.clone()],
                is_tls: false,
                login: Some(Login::Password {
                    user: USER.to_owned(),
                    password: PASSWORD.to_owned(),
                }),
            },
            names: Names::new(&format!("queue-{number}")).unwrap(),
            replicas: 1,
            capacity,
            patience: Duration::from_secs(5),
        });
        let queue = queue.await.unwrap();
        let ready = async {
            while queue.share() < 1.0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), ready).await.unwrap();
        Arc::new(queue) as _
    })
    .await;
}
