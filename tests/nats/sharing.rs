//! Who works on what.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::domain::reference::ImageName;
use image_updater::ports::event_queue::EventQueue;
use image_updater::ports::event_queue::Placement;
use image_updater::ports::event_queue::Pushed;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::replica::PATIENCE;
use crate::replica::alone;
use crate::replica::join;
use crate::replica::next;
use crate::replica::settled;
use crate::replica::shown;
use crate::replica::until;
use crate::support::fate;
use crate::support::push;

/// Which replica holds an image, and what was worked on.
#[derive(Default)]
struct Board {
    held: HashMap<ImageName, usize>,
    worked: HashMap<String, usize>,
    by: [usize; 2],
}

async fn work(replica: usize, queue: Arc<SharedQueue>, board: Arc<Mutex<Board>>) {
    loop {
        let batch = queue.next().await;
        {
            let mut board = board.lock().unwrap();
            let other = board.held.insert(batch.image.clone(), replica);
            assert_eq!(other, None, "{} is in work already", batch.image);
            board.by[replica] += 1;
        }
        for _ in 0..5 {
            yield_now().await;
        }
        {
            let mut board = board.lock().unwrap();
            board.held.remove(&batch.image);
            for queued in &batch.events {
                let name = queued.event.to_string();
                *board.worked.entry(name).or_default() += 1;
            }
        }
        queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_the_work_and_never_an_image() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let replicas = [join(&server).await, join(&server).await];
    settled([&replicas[0], &replicas[1]]).await;
    let board = Arc::new(Mutex::new(Board::default()));
    let workers: Vec<_> = (0..2)
        .map(|one| tokio::spawn(work(one, Arc::clone(&replicas[one]), Arc::clone(&board))))
        .collect();
    for number in 0..400 {
        let event = format!("quay.io/a/app-{}:{number}", number % 40);
        let pushed = push(&*replicas[number % 2], &format!("d{number}"), &[&event]).await;
        assert_eq!(pushed, Ok(Pushed::Queued(vec![Placement::Added])));
    }
    until(|| {
        board.lock().unwrap().worked.len() == 400
            || workers.iter().any(tokio::task::JoinHandle::is_finished)
    })
    .await;
    for worker in workers {
        assert!(!worker.is_finished(), "{:?}", worker.await);
        worker.abort();
    }
    let board = board.lock().unwrap();
    assert!(board.worked.values().all(|times| *times == 1));
    assert!(
        board.by.iter().all(|batches| *batches > 20),
        "{:?}",
        board.by
    );
}

#[tokio::test]
async fn what_a_dead_replica_had_in_work_is_given_to_another() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let dies = alone(&server).await;
    push(&*dies, "d1", &["quay.io/a/b:1", "quay.io/a/b:2"])
        .await
        .unwrap();
    let batch = next(&dies).await;
    assert_eq!(shown(&batch), ["d1 quay.io/a/b:1", "d1 quay.io/a/b:2"]);
    // A part of it is done, and known to be.
    let mut part = batch.clone();
    part.events.truncate(1);
    dies.done(&part, &fate(ImageOutcome::Changed)).await;
    let other = join(&server).await;
    let came = timeout(3 * PATIENCE, other.next()).await;
    assert_eq!(came.ok(), None, "it is in work where somebody lives");
    push(&*other, "d2", &["quay.io/a/b:3"]).await.unwrap();

    drop(dies);
    let batch = next(&other).await;
    assert_eq!(shown(&batch), ["d1 quay.io/a/b:2", "d2 quay.io/a/b:3"]);
    settled([&other]).await;
}

#[tokio::test]
async fn who_leaves_ends_its_work_and_leaves_the_rest_to_others() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let leaves = alone(&server).await;
    push(&*leaves, "d1", &["quay.io/a/b:1"]).await.unwrap();
    let batch = next(&leaves).await;
    push(&*leaves, "d2", &["quay.io/a/b:1"]).await.unwrap();
    push(&*leaves, "d3", &["quay.io/a/c:1"]).await.unwrap();
    leaves.leave();
    let other = join(&server).await;
    assert_eq!(shown(&next(&other).await), ["d3 quay.io/a/c:1"]);
    let came = timeout(PATIENCE, other.next()).await;
    assert_eq!(came.ok(), None, "the image is in work");
    leaves.done(&batch, &fate(ImageOutcome::Changed)).await;
    let batch = next(&other).await;
    assert_eq!(shown(&batch), ["d2 quay.io/a/b:1"]);

    // What is not done at the very end is the others' too, and at once.
    other.close().await;
    let last = join(&server).await;
    let mut left = shown(&next(&last).await);
    left.extend(shown(&next(&last).await));
    left.sort();
    assert_eq!(left, ["d2 quay.io/a/b:1", "d3 quay.io/a/c:1"]);
}

#[tokio::test]
async fn what_comes_twice_is_known_whoever_gets_it() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let (one, other) = (join(&server).await, join(&server).await);
    settled([&one, &other]).await;
    // At the same moment: only the server can tell who was first.
    for round in 0..20 {
        let id = format!("d{round}");
        let events = ["quay.io/a/b:1", "quay.io/a/c:1"];
        let (first, second) = tokio::join!(push(&*one, &id, &events), push(&*other, &id, &events));
        let same = Pushed::Duplicate(DeliveryId::new(id));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!((first == same) != (second == same), "{first:?} {second:?}");
    }
    // Once it is done, it is a new one, at the latest when all know.
    let id = DeliveryId::new("d19");
    let worked = async |queue: Arc<SharedQueue>| loop {
        let batch = queue.next().await;
        queue.done(&batch, &fate(ImageOutcome::Unchanged)).await;
    };
    let workers = [
        tokio::spawn(worked(Arc::clone(&one))),
        tokio::spawn(worked(Arc::clone(&other))),
    ];
    let again = async {
        while push(&*other, "d19", &["quay.io/a/b:1"]).await.unwrap()
            == Pushed::Duplicate(id.clone())
        {
            yield_now().await;
        }
    };
    timeout(crate::replica::LONG, again).await.unwrap();
    workers.iter().for_each(tokio::task::JoinHandle::abort);
}
