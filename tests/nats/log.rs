//! What is remembered of deliveries, wherever that is asked.

use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::queue::record::Progress;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::event_queue::EventQueue;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::replica::LONG;
use crate::replica::alone;
use crate::replica::join;
use crate::replica::next;
use crate::replica::settled;
use crate::support::fate;
use crate::support::push;

/// Waits until a replica knows how far a delivery is.
async fn wait_for(queue: &SharedQueue, id: &str, progress: Progress) {
    let wait = async {
        loop {
            let record = queue.show(&DeliveryId::new(id)).await.ok().flatten();
            if record.is_some_and(|record| record.progress() == progress) {
                return;
            }
            sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap();
}

#[tokio::test]
async fn every_replica_knows_what_became_of_a_delivery() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let works = alone(&server).await;
    push(&*works, "d1", &["quay.io/a/b:1", "quay.io/a/b:2"])
        .await
        .unwrap();
    push(&*works, "d2", &["quay.io/a/b:2"]).await.unwrap();
    // Before another one joins, who might get the image.
    let batch = next(&works).await;
    let asked = join(&server).await;
    wait_for(&asked, "d1", Progress::Open).await;
    works.done(&batch, &fate(ImageOutcome::Failed)).await;
    for id in ["d1", "d2"] {
        wait_for(&works, id, Progress::Failed).await;
        wait_for(&asked, id, Progress::Failed).await;
    }
    let known = asked.list(None, 10).await.unwrap();
    let ids: Vec<&str> = known.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["d2", "d1"]);

    // It is remembered when all replicas were gone.
    drop((works, asked));
    let later = alone(&server).await;
    assert_eq!(later.list(None, 10).await.unwrap(), known);
}

#[tokio::test]
async fn of_a_very_long_delivery_every_replica_knows_that_it_has_ended() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let (one, other) = (join(&server).await, join(&server).await);
    settled([&one, &other]).await;
    let events: Vec<String> = (0..18_000)
        .map(|tag| format!("quay.io/a/b:{tag}"))
        .collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    push(&*one, "d1", &events).await.unwrap();
    // It takes the place of each of them.
    push(&*one, "d2", &events).await.unwrap();
    for queue in [&one, &other] {
        wait_for(queue, "d1", Progress::Done).await;
        wait_for(queue, "d2", Progress::Open).await;
    }
}
