//! A server that dies under load, and comes back with what it had promised.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::queue::record::Progress;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Pushed;
use tokio::time::sleep;

use crate::nats_server::Nats;
use crate::replica::join;
use crate::replica::settled;
use crate::replica::until;
use crate::support::fate;
use crate::support::push;

/// How often the server dies.
const ROUNDS: usize = 4;

type Ids = Arc<Mutex<BTreeSet<String>>>;

/// Pushes for ever, and notes what was taken.
async fn send(name: usize, queue: Arc<SharedQueue>, taken: Ids) {
    for number in 0.. {
        let id = format!("d{name}-{number:06}");
        let event = format!("quay.io/a/app-{}:{name}-{number}", number % 50);
        match push(&*queue, &id, &[&event]).await {
            Ok(Pushed::Queued(_)) => _ = taken.lock().unwrap().insert(id),
            Ok(Pushed::Duplicate(of)) => panic!("{id} is taken for {of}"),
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn work(queue: Arc<SharedQueue>, worked: Ids) {
    loop {
        let batch = queue.next().await;
        for queued in &batch.events {
            worked.lock().unwrap().insert(queued.delivery.to_string());
        }
        queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_taken_is_lost() {
    let Some(mut server) = Nats::start() else {
        return;
    };
    let replicas = [join(&server).await, join(&server).await];
    settled([&replicas[0], &replicas[1]]).await;
    let (taken, worked) = (Ids::default(), Ids::default());
    let senders: Vec<_> = replicas
        .iter()
        .enumerate()
        .map(|(name, queue)| tokio::spawn(send(name, Arc::clone(queue), Arc::clone(&taken))))
        .collect();
    let workers: Vec<_> = replicas
        .iter()
        .map(|queue| tokio::spawn(work(Arc::clone(queue), Arc::clone(&worked))))
        .collect();
    for round in 0..ROUNDS {
        let before = taken.lock().unwrap().len();
        // Each time at another moment.
        until(|| taken.lock().unwrap().len() >= before + 50 + 7 * round).await;
        server.kill();
        server.restart();
    }
    let before = taken.lock().unwrap().len();
    until(|| taken.lock().unwrap().len() > before + 50).await;
    senders.iter().for_each(tokio::task::JoinHandle::abort);
    for sender in senders {
        assert!(
            sender.await.unwrap_err().is_cancelled(),
            "it goes on until it is told to end"
        );
    }
    until(|| worked.lock().unwrap().is_superset(&taken.lock().unwrap())).await;
    // And what became of each is known, by all.
    for queue in &replicas {
        let is_said = async || {
            let records = queue.list(None, 20_000).await;
            records.is_ok_and(|records| {
                let done = records
                    .iter()
                    .filter(|record| record.progress() == Progress::Done);
                let done: BTreeSet<String> = done.map(|record| record.id.to_string()).collect();
                done.is_superset(&taken.lock().unwrap())
            })
        };
        while !is_said().await {
            sleep(Duration::from_millis(50)).await;
        }
    }
    workers.iter().for_each(tokio::task::JoinHandle::abort);
}
