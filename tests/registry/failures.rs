//! Registries that fail.

use std::sync::Arc;
use std::time::Duration;

use image_updater::adapters::registry::HttpRegistries;
use image_updater::adapters::registry::Setup;
use image_updater::adapters::registry::timings::Timings;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::registry_client::RegistryClient as _;
use image_updater::ports::registry_client::RegistryError;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::Counter;
use crate::support::access;
use crate::support::client;
use crate::support::digest;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::quick;
use crate::support::setup;
use crate::support::tag;
use crate::support::tags;

fn list() -> Answer {
    Answer::json(r#"{"name":"a","tags":["1"]}"#)
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for failure in [
        Answer::error(429, "TOOMANYREQUESTS").with("retry-after", "0"),
        Answer::of(500),
        Answer::of(502),
        Answer::of(503),
        Answer::of(504),
        list().broken_after(0),
        list().broken_after(10),
    ] {
        let shown = format!("{failure:?}");
        let registry = Scripted::start(move |_, _, before| match before {
            0..=2 => failure.clone(),
            _ => list(),
        })
        .await;
        let meter = Arc::new(Counter::default());
        let client = HttpRegistries::new(Setup {
            meter: Some(Arc::clone(&meter) as _),
            ..setup(endpoint(&registry.url()))
        });
        assert_eq!(tags(&client, "a").await.unwrap(), "1", "{shown}");
        assert_eq!(*meter.0.lock().unwrap(), (4, 3), "{shown}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told_after_a_few_attempts() {
    for (failure, wait) in [
        (Answer::error(503, "UNAVAILABLE"), None),
        (Answer::of(503).with("retry-after", "600"), Some(600)),
        (list().broken_after(10), None),
    ] {
        let attempts = if wait.is_some() { 1 } else { 4 };
        let registry = Scripted::start(move |_, _, _| failure.clone()).await;
        let failed = tags(&client(endpoint(&registry.url())), "a").await;
        assert_eq!(kind(&failed), "unavailable");
        assert_eq!(registry.asks().len(), attempts);
        let Err(RegistryError::Unavailable { retry_after, .. }) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(retry_after, wait.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn too_many_requests_close_the_whole_registry() {
    let registry = Scripted::start(|_, _, _| {
        Answer::error(429, "TOOMANYREQUESTS").with("retry-after", "3600")
    })
    .await;
    let client = client(endpoint(&registry.url()));
    let first = tags(&client, "a").await;
    assert_eq!(kind(&first), "unavailable");
    let second = client.digest(&access("b"), &tag("1")).await;
    let Err(RegistryError::Unavailable { retry_after, .. }) = second else {
        panic!("{second:?}");
    };
    let left = retry_after.unwrap();
    assert!(left > Duration::from_secs(3500) && left <= Duration::from_secs(3600));
    assert_eq!(
        registry.asks().len(),
        1,
        "and the second was not even asked"
    );
}

#[tokio::test]
async fn nobody_there_is_told_within_a_bounded_time() {
    let gone = Scripted::start(|_, _, _| list()).await.url();
    let failed = tags(&client(endpoint(&gone)), "a").await;
    assert_eq!(kind(&failed), "unavailable");
    let failed = tags(&client(endpoint("nonsense")), "a").await;
    assert_eq!(kind(&failed), "unavailable");
}

#[tokio::test]
async fn whoever_says_nothing_is_not_waited_for() {
    let short = Duration::from_millis(20);
    for timings in [
        Timings {
            silence: short,
            persistence: short,
            ..quick()
        },
        Timings {
            request: short,
            persistence: short,
            ..quick()
        },
        Timings {
            question: short,
            ..quick()
        },
    ] {
        for is_silent in [true, false] {
            let registry = Scripted::waiting(move |_| async move {
                if is_silent {
                    std::future::pending::<()>().await;
                }
                Answer::of(200).endless()
            })
            .await;
            let client = HttpRegistries::new(Setup {
                timings,
                ..setup(endpoint(&registry.url()))
            });
            assert_eq!(kind(&tags(&client, "a").await), "unavailable");
        }
    }
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let long = Answer::of(200).body(vec![b'x'; (1 << 20) + 1]);
    let registry = Scripted::start(move |_, _, _| long.clone()).await;
    let blob = client(endpoint(&registry.url()))
        .blob(&access("a"), &digest(b"x"))
        .await;
    assert_eq!(kind(&blob), "nonsense");
    assert_eq!(registry.asks().len(), 1);
}

#[tokio::test]
async fn what_is_not_what_its_digest_says_is_refused() {
    let registry = Scripted::start(|_, _, _| Answer::of(200).body("other")).await;
    let client = client(endpoint(&registry.url()));
    let digest = digest(b"content");
    assert_eq!(kind(&client.blob(&access("a"), &digest).await), "nonsense");
    let of = image_updater::domain::registry::question::Pointer::Digest(digest);
    assert_eq!(kind(&client.manifest(&access("a"), &of).await), "nonsense");
}

#[tokio::test]
async fn a_redirection_without_end_is_none() {
    let registry =
        Scripted::start(|_, url, _| Answer::of(302).with("location", &format!("{url}/v2/again")))
            .await;
    let failed = tags(&client(endpoint(&registry.url())), "a").await;
    assert_eq!(kind(&failed), "nonsense");
    assert!(registry.asks().len() < 10);
}
