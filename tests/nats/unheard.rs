//! A replica that cannot reach the server for a while, in which others work.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use futures_util::TryStreamExt;
use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::delivery_log::Redelivery;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Pushed;
use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::replica::LONG;
use crate::replica::alone;
use crate::replica::join;
use crate::replica::next;
use crate::replica::options;
use crate::replica::settled;
use crate::replica::shown;
use crate::stream::administrator;
use crate::support::fate;
use crate::support::push;

/// A way to the server that can be shut.
struct Way {
    authority: String,
    is_open: watch::Sender<bool>,
}

impl Way {
    async fn to(server: &Nats) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (is_open, opened) = watch::channel(true);
        tokio::spawn(carry(listener, server.authority.clone(), opened));
        Self { authority, is_open }
    }
}

async fn carry(listener: TcpListener, to: String, is_open: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (mut is_open, to) = (is_open.clone(), to.clone());
        tokio::spawn(async move {
            let mut server = TcpStream::connect(to).await.unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = is_open.wait_for(|is_open| !is_open) => {}
            }
        });
    }
}

async fn work_off(queue: &SharedQueue) {
    let batch = next(queue).await;
    assert_eq!(shown(&batch), ["d1 quay.io/a/b:1"]);
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
}

async fn stream(server: &Nats) -> Stream {
    let administrator = administrator(server).await;
    administrator.get_stream("updater").await.unwrap()
}

/// Waits until no delivery is in the stream.
async fn nothing_waits(stream: &Stream) {
    let wait = async {
        loop {
            let deliveries = stream.info_with_subjects("updater.delivery.*").await;
            if deliveries.unwrap().try_next().await.unwrap().is_none() {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap();
}

/// Waits until a replica has heard of a delivery.
async fn heard(queue: &SharedQueue, id: &DeliveryId) {
    let wait = async {
        while !matches!(queue.show(id).await, Ok(Some(_))) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap();
}

#[tokio::test]
async fn what_others_ended_meanwhile_is_not_taken_for_open() {
    for is_forgotten in [false, true] {
        let Some(server) = Nats::fast() else {
            return;
        };
        let works = alone(&server).await;
        let way = Way::to(&server).await;
        let mut through = options(&server, PASSWORD);
        through.address.servers = vec![way.authority.clone()];
        let cut_off = Arc::new(SharedQueue::open(through).await.unwrap());
        settled([&works, &cut_off]).await;
        let id = DeliveryId::new("d1");
        push(&*works, "d1", &["quay.io/a/b:1"]).await.unwrap();
        heard(&cut_off, &id).await;

        way.is_open.send_replace(false);
        let stream = stream(&server).await;
        work_off(&works).await;
        nothing_waits(&stream).await;
        if is_forgotten {
            stream.purge().filter("updater.note.*").await.unwrap();
        } else {
            // The word of its second end takes the place of that of the first.
            assert_eq!(works.redeliver(&id).await, Ok(Redelivery::Queued));
            work_off(&works).await;
            nothing_waits(&stream).await;
        }
        way.is_open.send_replace(true);
        let again = async {
            loop {
                match push(&*cut_off, "d1", &["quay.io/a/b:1"]).await {
                    Ok(Pushed::Queued(_)) => return,
                    Ok(Pushed::Duplicate(_)) | Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        timeout(LONG, again).await.unwrap();
    }
}

#[tokio::test]
async fn what_another_one_has_in_work_is_the_same_only_as_long_as_the_stream_has_it() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let (one, other) = (join(&server).await, join(&server).await);
    settled([&one, &other]).await;
    push(&*one, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let idle = tokio::select! {
        _ = next(&one) => &other,
        _ = next(&other) => &one,
    };
    heard(idle, &DeliveryId::new("d1")).await;
    let same = Pushed::Duplicate(DeliveryId::new("d1"));
    let again = push(&**idle, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_eq!(again, same);
    let stream = stream(&server).await;
    let delivery = stream.get_last_raw_message_by_subject("updater.delivery.*");
    let number = delivery.await.unwrap().sequence;
    stream.delete_message(number).await.unwrap();
    let again = push(&**idle, "d1", &["quay.io/a/b:1"]).await.unwrap();
    assert_ne!(again, same);
}
