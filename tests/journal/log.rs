//! What is remembered of deliveries.

use image_updater::adapters::journal::Journal;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::Fate;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::queue::record::EventState;
use image_updater::domain::queue::record::Progress;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::delivery_log::Redelivery;
use image_updater::ports::event_queue::EventQueue;
use tempfile::TempDir;

use crate::support::event;
use crate::support::fate;
use crate::support::push;
use crate::support::take_all;

async fn progress(journal: &Journal, id: &str) -> Progress {
    let record = journal.show(&DeliveryId::new(id)).await.unwrap();
    record.unwrap().progress()
}

#[tokio::test]
async fn a_delivery_is_remembered_with_what_became_of_it() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    push(&journal, "d1", &["quay.io/a/b:1", "quay.io/a/b:2"])
        .await
        .unwrap();
    push(&journal, "d2", &["quay.io/a/b:2"]).await.unwrap();
    assert_eq!(progress(&journal, "d1").await, Progress::Open);
    let batch = journal.next().await;
    journal.done(&batch, &fate(ImageOutcome::Changed)).await;
    let record = journal.show(&DeliveryId::new("d1")).await.unwrap().unwrap();
    assert_eq!(
        (record.id.as_str(), record.sender.as_str()),
        ("d1", "quay.io")
    );
    assert_eq!(record.events[0].event, event("quay.io/a/b:1"));
    let fates: Vec<&Fate> = record
        .events
        .iter()
        .map(|known| match &known.state {
            EventState::Ended { fate, .. } => fate,
            EventState::Open => panic!("it has ended"),
        })
        .collect();
    assert_eq!(
        fates,
        [
            &fate(ImageOutcome::Changed),
            &Fate::Superseded(DeliveryId::new("d2"))
        ]
    );
    let listed = journal.list(10).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["d2", "d1"]);
    assert_eq!(journal.list(1).await.unwrap().len(), 1);
    assert_eq!(journal.show(&DeliveryId::new("d9")).await.unwrap(), None);
}

#[tokio::test]
async fn what_failed_is_parked_and_can_be_delivered_again() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    let id = DeliveryId::new("d1");
    push(&journal, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_eq!(journal.redeliver(&id).await.unwrap(), Redelivery::Open);
    let batch = journal.next().await;
    assert_eq!(
        journal.redeliver(&id).await.unwrap(),
        Redelivery::Open,
        "it is in work"
    );
    journal.done(&batch, &fate(ImageOutcome::Failed)).await;
    assert_eq!(progress(&journal, "d1").await, Progress::Failed);
    assert_eq!(take_all(&journal), [""; 0]);

    assert_eq!(journal.redeliver(&id).await.unwrap(), Redelivery::Queued);
    assert_eq!(progress(&journal, "d1").await, Progress::Open);
    assert_eq!(take_all(&journal), ["d1 quay.io/a/b:1"]);
    assert_eq!(
        journal.redeliver(&DeliveryId::new("d9")).await.unwrap(),
        Redelivery::Unknown
    );
    journal.close().await;
    drop(journal);
    let journal = Journal::open(folder.path(), 10).unwrap();
    assert_eq!(take_all(&journal), ["d1 quay.io/a/b:1"]);
}
