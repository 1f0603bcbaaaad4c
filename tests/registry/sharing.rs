//! One request for one question.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::ports::registry_client::RegistryClient as _;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::access;
use crate::support::client;
use crate::support::endpoint;
use crate::support::tag;
use crate::support::tags;

fn list() -> Answer {
    Answer::json(r#"{"name":"a","tags":["1"]}"#)
}

#[tokio::test]
async fn what_many_ask_at_a_time_is_asked_once() {
    let gate = Arc::new(Semaphore::new(0));
    let registry = Scripted::waiting({
        let gate = Arc::clone(&gate);
        move |ask| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                let digest = format!("sha256:{}", "a".repeat(64));
                if ask.is("HEAD") {
                    Answer::of(200).with("docker-content-digest", &digest)
                } else {
                    list()
                }
            }
        }
    })
    .await;
    let client = Arc::new(client(endpoint(&registry.url())));
    let lists = join_all((0..50).map(|_| tags(&client, "a")));
    let one = tag("1");
    let access = access("a");
    let digests = join_all((0..50).map(|_| client.digest(&access, &one)));
    let opening = async { gate.add_permits(2) };
    let (lists, digests, ()) = tokio::join!(lists, digests, opening);
    assert!(lists.into_iter().all(|list| list.unwrap() == "1"));
    assert!(digests.into_iter().all(|digest| digest.unwrap().is_some()));
    assert_eq!(registry.asks().len(), 2);
}

#[tokio::test]
async fn one_question_finds_out_what_the_registry_wants_to_see() {
    let registry = Scripted::start(|ask, url, _| {
        if ask.is("/token") {
            Answer::json(r#"{"token":"t"}"#)
        } else if ask.header("authorization").is_some() {
            list()
        } else {
            Answer::bearer(&format!("{url}/token"))
        }
    })
    .await;
    let client = client(endpoint(&registry.url()));
    let names: Vec<String> = (0..50).map(|number| format!("a{number}")).collect();
    let all = join_all(names.iter().map(|name| tags(&client, name))).await;
    assert!(all.into_iter().all(|list| list.is_ok()));
    let lines = registry.lines();
    let lists = lines.iter().filter(|line| line.contains("/tags/list"));
    assert_eq!((lists.count(), lines.len()), (51, 101));
}

#[tokio::test]
async fn a_registry_gets_no_more_requests_a_second_than_it_should() {
    let registry = Scripted::start(|ask, url, _| {
        if ask.is("/token") {
            Answer::json(r#"{"token":"t"}"#)
        } else if ask.header("authorization").is_some() {
            list()
        } else {
            Answer::bearer(&format!("{url}/token"))
        }
    })
    .await;
    let client = client(Endpoint {
        limit: NonZeroU32::new(100),
        ..endpoint(&registry.url())
    });
    let start = Instant::now();
    let names: Vec<String> = (0..60).map(|number| format!("a{number}")).collect();
    join_all(names.iter().map(|name| tags(&client, name))).await;
    // Tokens count too: 121 requests, of which the first 100 come at once.
    assert_eq!(registry.asks().len(), 121);
    assert!(start.elapsed() >= Duration::from_millis(200));
}
