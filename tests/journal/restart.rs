//! What waits after a new start.

use image_updater::adapters::journal::Journal;
use image_updater::adapters::journal::error::OpenError;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::delivery_log::Redelivery;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Pushed;
use tempfile::TempDir;

use crate::support::fate;
use crate::support::push;
use crate::support::take_all;

#[tokio::test]
async fn what_was_not_done_waits_again_in_its_order() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    push(&journal, "d1", &["quay.io/a/done:1"]).await.unwrap();
    push(&journal, "d2", &["quay.io/a/work:1"]).await.unwrap();
    push(&journal, "d3", &["quay.io/a/wait:1", "quay.io/a/wait:2"])
        .await
        .unwrap();
    let digest = format!("quay.io/a/wait:1@sha256:{}", "b".repeat(64));
    push(&journal, "d4", &[&digest]).await.unwrap();
    let batch = journal.next().await;
    journal.done(&batch, &fate(ImageOutcome::Changed)).await;
    journal.next().await;
    journal.close().await;
    drop(journal);

    let journal = Journal::open(folder.path(), 10).unwrap();
    let newest = format!("d4 {digest}");
    let expected = [
        "d2 quay.io/a/work:1",
        "d3 quay.io/a/wait:2",
        newest.as_str(),
    ];
    // What its sender repeats is known again.
    let same = push(&journal, "d2", &["quay.io/a/work:1"]).await.unwrap();
    assert_eq!(same, Pushed::Duplicate(DeliveryId::new("d2")));
    assert_eq!(take_all(&journal), expected);
    push(&journal, "d5", &["quay.io/a/wait:2"]).await.unwrap();
    journal.close().await;
    drop(journal);

    // What came later is later still.
    let journal = Journal::open(folder.path(), 10).unwrap();
    let expected = [
        "d2 quay.io/a/work:1",
        newest.as_str(),
        "d5 quay.io/a/wait:2",
    ];
    assert_eq!(take_all(&journal), expected);
}

#[tokio::test]
async fn what_was_ordered_again_waits_after_a_new_start() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    push(&journal, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let batch = journal.next().await;
    journal.done(&batch, &fate(ImageOutcome::Failed)).await;
    journal.close().await;
    drop(journal);

    let journal = Journal::open(folder.path(), 10).unwrap();
    assert_eq!(take_all(&journal), [""; 0], "what failed is parked");
    let again = journal.redeliver(&DeliveryId::new("d1")).await;
    assert_eq!(again, Ok(Redelivery::Queued));
    journal.close().await;
    drop(journal);

    let journal = Journal::open(folder.path(), 10).unwrap();
    assert_eq!(take_all(&journal), ["d1 quay.io/a/b:1"]);
}

#[tokio::test]
async fn a_folder_belongs_to_one_process() {
    let folder = TempDir::new().unwrap();
    let _journal = Journal::open(folder.path(), 10).unwrap();
    assert!(matches!(
        Journal::open(folder.path(), 10),
        Err(OpenError::InUse(_))
    ));
}

#[tokio::test]
async fn nothing_is_taken_once_it_is_closed() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), 10).unwrap();
    journal.close().await;
    assert!(push(&journal, "d1", &["quay.io/a/b:1"]).await.is_err());
}
