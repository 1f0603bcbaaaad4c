//! Three servers that keep one stream.

use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream;
use async_nats::jetstream::stream::Info;
use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::event_queue::EventQueue;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::nats_server::USER;
use crate::replica::LONG;
use crate::replica::insist;
use crate::replica::options;
use crate::replica::settled;
use crate::replica::shown;
use crate::support::fate;
use crate::support::push;

/// A replica that knows all servers.
async fn join(servers: &[Nats], replicas: usize) -> SharedQueue {
    let mut options = options(&servers[0], PASSWORD);
    let all = servers.iter().map(|server| server.authority.clone());
    options.address.servers = all.collect();
    SharedQueue::open(Options {
        replicas,
        ..options
    })
    .await
    .unwrap()
}

/// Waits until the stream is as it is wanted.
async fn wait_for(servers: &[Nats], is_so: impl Fn(&Info) -> bool) -> Info {
    let options = ConnectOptions::with_user_and_password(USER.to_owned(), PASSWORD.to_owned());
    let all: Vec<_> = servers
        .iter()
        .map(|server| server.authority.clone())
        .collect();
    let context = jetstream::new(options.connect(all).await.unwrap());
    let wait = async {
        loop {
            if let Ok(mut stream) = context.get_stream("updater").await
                && let Ok(info) = stream.info().await
                && is_so(info)
            {
                return info.clone();
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, wait).await.unwrap()
}

fn is_complete(info: &Info) -> bool {
    let cluster = info.cluster.as_ref();
    cluster.is_some_and(|cluster| {
        let current = cluster.replicas.iter().filter(|one| one.current);
        cluster.leader.is_some() && current.count() == 2
    })
}

/// Delivers until it is taken, and works on it.
async fn deliver(queue: &SharedQueue, number: usize) {
    let (id, event) = (format!("d{number}"), format!("quay.io/a/b:{number}"));
    let work = async {
        insist(queue, &id, &event).await;
        loop {
            let batch = queue.next().await;
            queue.done(&batch, &fate(ImageOutcome::Changed)).await;
            if shown(&batch).contains(&format!("{id} {event}")) {
                return;
            }
        }
    };
    timeout(LONG, work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_three_servers_keep_survives_the_loss_of_one() {
    let Some(mut servers) = Nats::cluster() else {
        return;
    };
    // A stream that one server keeps, as it was made before there were three.
    let before = join(&servers, 1).await;
    settled([&before]).await;
    let info = wait_for(&servers, |_| true).await;
    assert_eq!(info.config.num_replicas, 1);
    deliver(&before, 0).await;
    drop(before);
    let queue = join(&servers, 3).await;
    let info = wait_for(&servers, is_complete).await;
    settled([&queue]).await;
    assert_eq!(info.config.num_replicas, 3);
    deliver(&queue, 1).await;
    // Who wants one server does not take it away from the others.
    let modest = join(&servers, 1).await;
    settled([&queue, &modest]).await;
    drop(modest);
    let leader = wait_for(&servers, is_complete).await;
    assert_eq!(leader.config.num_replicas, 3);
    let leader = leader.cluster.and_then(|cluster| cluster.leader).unwrap();
    let leader: usize = leader.trim_start_matches('n').parse().unwrap();
    servers[leader].kill();
    for number in 2..10 {
        deliver(&queue, number).await;
    }
    servers[leader].restart();
    wait_for(&servers, is_complete).await;
    deliver(&queue, 10).await;
}

#[tokio::test]
async fn one_server_alone_is_not_taken_for_three() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let wants = join(std::slice::from_ref(&server), 3).await;
    let came = timeout(Duration::from_secs(1), settled([&wants])).await;
    assert!(came.is_err(), "nothing is kept on three servers here");
    assert!(push(&wants, "d1", &["quay.io/a/b:1"]).await.is_err());
}
