//! A stream on which others lay hands: with limits, or emptied, or made in another way.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream;
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::stream::DiscardPolicy;
use async_nats::jetstream::stream::Stream;
use image_updater::adapters::nats::Options;
use image_updater::adapters::nats::SharedQueue;
use image_updater::domain::queue::fate::ImageOutcome;
use image_updater::ports::delivery_log::DeliveryLog;
use image_updater::ports::event_queue::EventQueue;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::nats_server::Nats;
use crate::nats_server::PASSWORD;
use crate::nats_server::USER;
use crate::replica::LONG;
use crate::replica::PATIENCE;
use crate::replica::alone;
use crate::replica::insist;
use crate::replica::join;
use crate::replica::next;
use crate::replica::options;
use crate::replica::settled;
use crate::replica::shown;
use crate::support::fate;
use crate::support::push;

/// The stream's name, as the replicas of the tests have it.
const STREAM: &str = "updater";

/// The hands of an administrator.
pub(crate) async fn administrator(server: &Nats) -> jetstream::Context {
    let options = ConnectOptions::with_user_and_password(USER.to_owned(), PASSWORD.to_owned());
    let client = options.connect(&server.authority).await.unwrap();
    jetstream::new(client)
}

async fn work_off(queue: &SharedQueue, delivery: &str) {
    let event = format!("quay.io/a/b:{delivery}");
    push(queue, delivery, &[&event]).await.unwrap();
    let batch = next(queue).await;
    assert_eq!(shown(&batch), [format!("{delivery} {event}")]);
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
}

/// Limits the size of the stream.
async fn limit(server: &Nats, (max_messages, max_bytes): (i64, i64)) {
    let administrator = administrator(server).await;
    let stream = administrator.get_stream(STREAM).await.unwrap();
    let limited = Config {
        max_messages,
        max_bytes,
        ..stream.cached_info().config.clone()
    };
    administrator.update_stream(limited).await.unwrap();
}

/// Too little for what a hundred deliveries leave behind.
const LIMITS: [(i64, i64); 2] = [(80, -1), (-1, 32_000)];

#[tokio::test]
async fn a_stream_with_a_limit_forgets_old_deliveries_and_takes_new_ones() {
    for limits in LIMITS {
        let Some(server) = Nats::fast() else {
            return;
        };
        let queue = alone(&server).await;
        limit(&server, limits).await;
        for number in 0..100 {
            work_off(&queue, &format!("d{number}")).await;
        }
        // One more replica is one more message.
        let other = join(&server).await;
        settled([&queue, &other]).await;
    }
}

/// Waits until a replica has heard of a delivery that is the newest by its name.
async fn heard(queue: &SharedQueue, newest: &str) {
    let wait = async {
        loop {
            let listed = queue.list(None, 1).await.unwrap();
            if listed
                .first()
                .is_some_and(|first| first.id.as_str() == newest)
            {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap();
}

#[tokio::test]
async fn who_does_not_hear_of_what_others_forget_makes_room_all_the_same() {
    for limits in LIMITS {
        let Some(server) = Nats::fast() else {
            return;
        };
        let works = alone(&server).await;
        let takes = join(&server).await;
        takes.leave();
        limit(&server, limits).await;
        for number in 0..100 {
            work_off(&works, &format!("d{number}")).await;
        }
        heard(&takes, "d99").await;
        for number in 0..25 {
            let id = format!("e{number}");
            let taken = push(&*takes, &id, &[&format!("quay.io/a/b:{id}")]).await;
            assert!(taken.is_ok(), "{id}: {taken:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_full_is_worked_off_even_by_a_replica_that_comes_anew() {
    for limits in LIMITS {
        let Some(server) = Nats::fast() else {
            return;
        };
        let queue = alone(&server).await;
        limit(&server, limits).await;
        // Until it is known to have a limit.
        sleep(PATIENCE).await;
        let mut open = BTreeSet::new();
        let refused = loop {
            let id = format!("d{}", open.len());
            match push(&*queue, &id, &[&format!("quay.io/a/b:{id}")]).await {
                Ok(_) => _ = open.insert(id),
                Err(error) => break error.to_string(),
            }
        };
        assert!(refused.contains("is full"), "{refused}");
        assert!(open.len() > 20, "{refused}");
        drop(queue);
        let queue = join(&server).await;
        while !open.is_empty() {
            let batch = next(&queue).await;
            for queued in &batch.events {
                open.remove(queued.delivery.as_str());
            }
            queue.done(&batch, &fate(ImageOutcome::Changed)).await;
        }
        insist(&queue, "again", "quay.io/a/b:again").await;
    }
}

#[tokio::test]
async fn after_somebody_has_emptied_the_stream_the_work_of_the_dead_is_taken_over() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let (dies, lives) = (join(&server).await, join(&server).await);
    settled([&dies, &lives]).await;
    let administrator = administrator(&server).await;
    let stream = administrator.get_stream(STREAM).await.unwrap();
    stream.purge().await.unwrap();
    drop(dies);
    settled([&lives]).await;
    work_off(&lives, "d1").await;
}

#[tokio::test]
async fn a_stream_that_would_lose_something_is_refused_until_it_is_changed() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let administrator = administrator(&server).await;
    let forgetful = Config {
        name: STREAM.to_owned(),
        subjects: vec![format!("{STREAM}.>")],
        max_messages_per_subject: 1,
        max_messages: 100,
        discard: DiscardPolicy::Old,
        ..Config::default()
    };
    administrator.create_stream(&forgetful).await.unwrap();
    let queue = join(&server).await;
    let kept = timeout(Duration::from_secs(1), settled([&*queue])).await;
    assert!(kept.is_err(), "it would forget deliveries");
    assert!(push(&*queue, "d1", &["quay.io/a/b:1"]).await.is_err());
    let discard = DiscardPolicy::New;
    let changed = Config {
        discard,
        ..forgetful
    };
    administrator.update_stream(changed).await.unwrap();
    let work = async {
        insist(&queue, "d1", "quay.io/a/b:1").await;
        assert_eq!(shown(&next(&queue).await), ["d1 quay.io/a/b:1"]);
    };
    timeout(LONG, work).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_came_back_without_its_end_is_read_anew() {
    let Some(mut server) = Nats::start() else {
        return;
    };
    let queue = alone(&server).await;
    server.kill();
    server.save();
    server.restart();
    for number in 0..40 {
        let id = format!("lost{number}");
        insist(&queue, &id, "quay.io/a/b:lost").await;
    }
    assert_eq!(next(&queue).await.events.len(), 1);
    server.kill();
    server.restore();
    // Before our replica finds it again, it takes what another one brings, and more than ever was in it.
    server.restart_aside();
    let other = join(&server).await;
    insist(&other, "d1", "quay.io/a/c:1").await;
    drop(other);
    let administrator = administrator(&server).await;
    for number in 0..500 {
        let subject = format!("{STREAM}.later.{number}");
        let stored = administrator.publish(subject, "".into()).await.unwrap();
        stored.await.unwrap();
    }
    server.kill();
    server.restart();
    assert_eq!(shown(&next(&queue).await), ["d1 quay.io/a/c:1"]);
}

/// When what became of a delivery was written last.
async fn written_at(stream: &Stream, delivery: &str) -> Option<u64> {
    let name = format!("\"id\":\"{delivery}\"");
    let state = stream.get_info().await.unwrap().state;
    let mut at = None;
    for number in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(number).await;
        let note = message.ok().filter(|message| {
            let content = String::from_utf8_lossy(&message.payload);
            message.subject.contains(".note.") && content.contains(&name)
        });
        at = note.map(|note| note.sequence).or(at);
    }
    at
}

#[tokio::test]
async fn what_took_the_place_of_another_one_is_written_after_it() {
    let Some(server) = Nats::fast() else {
        return;
    };
    // It does not look at the stream before this test is over.
    let patience = 10 * LONG;
    let unhurried = Options {
        patience,
        ..options(&server, PASSWORD)
    };
    let queue = SharedQueue::open(unhurried).await.unwrap();
    settled([&queue]).await;
    let administrator = administrator(&server).await;
    let stream = administrator.get_stream(STREAM).await.unwrap();
    let config = stream.cached_info().config.clone();
    push(&queue, "older", &["quay.io/a/a:1", "quay.io/a/b:1"])
        .await
        .unwrap();
    let batch = next(&queue).await;
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    let mut a_part = None;
    while a_part.is_none() {
        a_part = written_at(&stream, "older").await;
    }
    // Nobody takes notes for now.
    let strict = Config {
        subjects: vec![format!("{STREAM}.delivery.*")],
        ..config.clone()
    };
    administrator.update_stream(strict).await.unwrap();
    push(&queue, "newer", &["quay.io/a/b:1"]).await.unwrap();
    let batch = next(&queue).await;
    assert_eq!(shown(&batch), ["newer quay.io/a/b:1"]);
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    sleep(PATIENCE).await;
    assert_eq!(written_at(&stream, "newer").await, None);
    administrator.update_stream(config).await.unwrap();
    let newer = loop {
        if let Some(newer) = written_at(&stream, "newer").await {
            break newer;
        }
    };
    let older = written_at(&stream, "older").await;
    assert!(a_part < older && older < Some(newer), "{older:?} {newer}");
}

#[tokio::test]
async fn a_stream_that_begins_to_lose_something_is_refused_from_then_on() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let queue = alone(&server).await;
    let administrator = administrator(&server).await;
    let stream = administrator.get_stream(STREAM).await.unwrap();
    let config = stream.cached_info().config.clone();
    let forgetful = Config {
        max_messages: 100,
        discard: DiscardPolicy::Old,
        ..config.clone()
    };
    administrator.update_stream(forgetful).await.unwrap();
    let refused = async {
        let mut number = 0;
        while push(&*queue, &format!("d{number}"), &["quay.io/a/b:1"])
            .await
            .is_ok()
        {
            number += 1;
            sleep(PATIENCE / 10).await;
        }
    };
    timeout(LONG, refused).await.unwrap();
    administrator.update_stream(config).await.unwrap();
    insist(&queue, "again", "quay.io/a/c:1").await;
}

#[tokio::test]
async fn a_note_that_does_not_fit_any_more_is_told_in_short_and_keeps_up_no_other() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let queue = alone(&server).await;
    let events: Vec<String> = (0..100).map(|tag| format!("quay.io/a/b:{tag}")).collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    push(&*queue, "long", &events).await.unwrap();
    let batch = next(&queue).await;
    push(&*queue, "short", &["quay.io/a/c:1"]).await.unwrap();
    let administrator = administrator(&server).await;
    let mut stream = administrator.get_stream(STREAM).await.unwrap();
    let strict = Config {
        max_message_size: 300,
        ..stream.cached_info().config.clone()
    };
    administrator.update_stream(strict).await.unwrap();
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    let batch = next(&queue).await;
    queue.done(&batch, &fate(ImageOutcome::Changed)).await;
    for id in ["long", "short"] {
        let wait = async { while written_at(&stream, id).await.is_none() {} };
        timeout(LONG, wait).await.unwrap();
    }
    let is_there = |subject: &str| subject.starts_with("updater.delivery.");
    let gone = async {
        loop {
            let state = stream.info().await.unwrap().state.clone();
            let messages = state.first_sequence..=state.last_sequence;
            let mut left = 0;
            for number in messages {
                let message = stream.get_raw_message(number).await;
                left += usize::from(message.is_ok_and(|message| is_there(&message.subject)));
            }
            if left == 0 {
                return;
            }
        }
    };
    timeout(LONG, gone).await.unwrap();
}

/// A delivery as it stands in the stream.
const DELIVERY: &str = r#"{"id":"d1","sender":"quay.io","key":"quay.io:d1","at":1700000000000,"images":[{"image":"quay.io/a/b","tags":[{"tag":"1"}]}]}"#;

/// Says something in the place of a replica. Gives the number of the message.
async fn say(administrator: &jetstream::Context, subject: &str, content: String) -> u64 {
    let subject = format!("{STREAM}.{subject}");
    let said = administrator.publish(subject, content.into()).await;
    said.unwrap().await.unwrap().sequence
}

#[tokio::test]
async fn what_a_replica_has_done_and_left_in_the_stream_as_it_died_is_taken_out() {
    let Some(server) = Nats::fast() else {
        return;
    };
    let _queue = alone(&server).await;
    let administrator = administrator(&server).await;
    let number = say(&administrator, "delivery.x", DELIVERY.to_owned()).await;
    let end = r#"{"events":[0],"end":{"at":1700000000001}}"#;
    let note = format!(r#"{{"number":{number},"delivery":{DELIVERY},"ends":[{end}]}}"#);
    say(&administrator, "note.x", note).await;
    let stream = administrator.get_stream(STREAM).await.unwrap();
    let gone = async {
        while stream.get_raw_message(number).await.is_ok() {
            sleep(PATIENCE / 10).await;
        }
    };
    timeout(LONG, gone).await.unwrap();
}

#[tokio::test]
async fn what_became_of_a_part_is_not_forgotten_while_the_rest_is_in_work() {
    for limits in LIMITS {
        let Some(server) = Nats::fast() else {
            return;
        };
        let queue = alone(&server).await;
        let administrator = administrator(&server).await;
        let stream = administrator.get_stream(STREAM).await.unwrap();
        work_off(&queue, "first").await;
        push(&*queue, "older", &["quay.io/a/a:1", "quay.io/a/c:1"])
            .await
            .unwrap();
        let batch = next(&queue).await;
        assert_eq!(shown(&batch), ["older quay.io/a/a:1"]);
        queue.done(&batch, &fate(ImageOutcome::Changed)).await;
        assert_eq!(shown(&next(&queue).await), ["older quay.io/a/c:1"]);
        while written_at(&stream, "older").await.is_none() {}
        limit(&server, limits).await;
        for number in 0..100 {
            work_off(&queue, &format!("d{number}")).await;
        }
        assert_eq!(written_at(&stream, "first").await, None, "it is forgotten");
        assert_eq!(written_at(&stream, "d9").await, None, "so is what is newer");
        drop(queue);
        let queue = join(&server).await;
        assert_eq!(shown(&next(&queue).await), ["older quay.io/a/c:1"]);
        assert_eq!(timeout(PATIENCE, queue.next()).await.ok(), None);
    }
}
