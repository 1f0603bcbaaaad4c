//! Replicas' ends of a queue.

use std::sync::Arc;
use std::time::Duration;

use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::adapters::nats::connection::Address;
use image_updater::adapters::nats::connection::Login;
use image_updater::adapters::nats::names::Names;
use image_updater::domain::queue::entry::Batch;
use image_updater::ports::event_queue::EventQueue;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::nats_server::USER;
use crate::support::until_taken;

/// Longer than anything takes on a slow machine; a test that reaches it has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// How long a replica may be silent.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How a replica of a test joins, with that password.
pub(crate) fn options(server: &Nats, password: &str) -> Options {
    Options {
        address: Address {
            servers: vec![server.authority.clone()],
            is_tls: false,
            tls_dir: None,
            login: Some(Login::Password {
                user: USER.to_owned(),
                password: password.to_owned(),
            }),
        },
        names: Names::new("updater").unwrap(),
        replicas: 1,
        capacity: 10_000,
        patience: PATIENCE,
    }
}

/// One more replica.
pub(crate) async fn join(server: &Nats) -> Arc<SharedQueue> {
    let queue = SharedQueue::open(options(server, PASSWORD)).await;
    Arc::new(queue.unwrap())
}

/// A replica that has all the work for itself.
pub(crate) async fn alone(server: &Nats) -> Arc<SharedQueue> {
    let queue = join(server).await;
    settled([&queue]).await;
    queue
}

/// Delivers until it is taken, which it has to be.
pub(crate) async fn insist(queue: &SharedQueue, delivery: &str, event: &str) {
    timeout(LONG, until_taken(queue, delivery, event))
        .await
        .unwrap();
}

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap();
}

/// Waits until replicas share the work evenly.
pub(crate) async fn settled<const N: usize>(replicas: [&SharedQueue; N]) {
    let share = 1.0 / f64::from(u32::try_from(N).unwrap());
    until(|| {
        replicas
            .iter()
            .all(|one| (one.share() - share).abs() < 0.001)
    })
    .await;
}

/// The next batch, which has to come.
pub(crate) async fn next(queue: &SharedQueue) -> Batch {
    timeout(LONG, queue.next()).await.unwrap()
}

/// A batch as text.
pub(crate) fn shown(batch: &Batch) -> Vec<String> {
    let events = batch.events.iter();
    events
        .map(|queued| format!("{} {}", queued.delivery, queued.event))
        .collect()
}
