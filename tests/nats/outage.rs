//! A server that is not there, or that does not want us.

use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::QueueError;
use std::sync::Arc;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::replica::LONG;
use crate::replica::PATIENCE;
use crate::replica::alone;
use crate::replica::insist;
use crate::replica::join;
use crate::replica::next;
use crate::replica::options;
use crate::replica::shown;
use crate::replica::until;
use crate::support::fate;
use crate::support::push;

#[tokio::test]
async fn deliveries_are_refused_while_it_is_away_and_taken_when_it_is_back() {
    let Some(mut server) = Nats::start() else {
        return;
    };
    let queue = alone(&server).await;
    push(&*queue, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let batch = next(&queue).await;
    server.kill();
    let refused = timeout(LONG, push(&*queue, "d2", &["quay.io/a/b:2"])).await;
    match refused.unwrap() {
        Err(QueueError::Unavailable {
            reason,
            retry_after,
        }) => assert!(reason.contains(&server.authority) && !retry_after.is_zero()),
        other => panic!("{other:?}"),
    }
    // What ends meanwhile is said later.
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    let late = join(&server).await;
    assert!(
        push(&*late, "d3", &["quay.io/a/b:3"]).await.is_err(),
        "it never saw the server"
    );
    let id = DeliveryId::new("d1");
    assert!(late.list(None, 1).await.is_err(), "it knows nothing");
    assert!(late.show(&id).await.is_err() && late.redeliver(&id).await.is_err());
    server.restart();
    insist(&late, "d3", "quay.io/a/c:3").await;
    insist(&queue, "d4", "quay.io/a/d:4").await;
    let mut shown_all = Vec::new();
    while shown_all.len() < 2 {
        let batch = tokio::select! {
            batch = next(&queue) => batch,
            batch = next(&late) => batch,
        };
        // Of the first two it is not known whether the server had them: where it had, they are worked on, again perhaps.
        let events = shown(&batch).into_iter();
        shown_all
            .extend(events.filter(|event| !event.starts_with("d1") && !event.starts_with("d2")));
    }
    shown_all.sort();
    assert_eq!(shown_all, ["d3 quay.io/a/c:3", "d4 quay.io/a/d:4"]);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let queue = SharedQueue::open(options(&server, "hunter2"))
        .await
        .unwrap();
    let error = push(&queue, "d1", &["quay.io/a/b:1"]).await.unwrap_err();
    assert!(error.to_string().contains(&server.authority), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    let Some(mut server) = Nats::fast() else {
        return;
    };
    server.kill();
    let queue = Arc::clone(&join(&server).await);
    assert!(push(&*queue, "d1", &["quay.io/a/b:1"]).await.is_err());
    server.restart();
    insist(&queue, "d1", "quay.io/a/b:1").await;
    assert_eq!(shown(&next(&queue).await), ["d1 quay.io/a/b:1"]);
}

#[tokio::test]
async fn what_waits_for_its_turn_is_given_again_after_a_long_outage() {
    let Some(mut server) = Nats::start() else {
        return;
    };
    let queue = alone(&server).await;
    push(&*queue, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let batch = next(&queue).await;
    assert!(queue.is_kept(&batch));
    server.kill();
    // Another replica might reach the server, and have the image by now.
    until(|| !queue.is_kept(&batch)).await;
    let came = timeout(PATIENCE, queue.next()).await;
    assert_eq!(came.ok(), None, "that is not known yet");
    server.restart();
    assert_eq!(shown(&next(&queue).await), ["d1 quay.io/a/b:1"]);
}
