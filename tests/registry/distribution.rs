//! The client against the registry of the distribution project.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::StreamExt as _;
use futures_util::stream;
use image_updater::adapters::registry::HttpRegistries;
use image_updater::domain::registry::platform::Platforms;
use image_updater::domain::registry::question::Age;
use image_updater::domain::registry::question::BuildQuestion;
use image_updater::domain::registry::question::Pointer;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::registry_client::RegistryClient as _;
use tokio::sync::mpsc;

use crate::registry::Auth;
use crate::registry::Options;
use crate::registry::Registry;
use crate::registry::notified;
use crate::scripted::Answer;
use crate::scripted::Ask;
use crate::scripted::Scripted;
use crate::support::PASSWORD;
use crate::support::Purse;
use crate::support::access;
use crate::support::client;
use crate::support::endpoint;
use crate::support::guarded;
use crate::support::kind;
use crate::support::setup;
use crate::support::tag;
use crate::support::tags;
use crate::tokens::TokenServer;

/// A proxy before a registry, which gives other answers where a test wants them.
struct Proxy {
    server: Scripted,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

/// What becomes of an answer of the registry.
type Fault = Box<dyn FnOnce(Answer) -> Answer + Send>;

impl Proxy {
    async fn before(registry: &Registry) -> Self {
        let faults = Arc::new(Mutex::new(VecDeque::<Fault>::new()));
        let (known, url) = (Arc::clone(&faults), registry.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let server = Scripted::waiting(move |ask| {
            let (client, url, known) = (client.clone(), url.clone(), Arc::clone(&known));
            async move {
                let answer = forwarded(&client, &url, &ask).await;
                let fault = known.lock().unwrap().pop_front();
                fault.map_or(answer.clone(), |fault| fault(answer))
            }
        })
        .await;
        Self { server, faults }
    }

    /// The next answers.
    fn fail(&self, faults: Vec<Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }
}

async fn forwarded(client: &reqwest::Client, url: &str, ask: &Ask) -> Answer {
    let (method, path) = ask.line.split_once(' ').unwrap();
    let mut headers = ask.headers.clone();
    headers.remove("host");
    let request = client.request(method.parse().unwrap(), format!("{url}{path}"));
    let response = request.headers(headers).send().await.unwrap();
    let mut answer = Answer::of(response.status().as_u16());
    for (name, value) in response.headers() {
        if name != "content-length" && name != "transfer-encoding" {
            answer = answer.with(name.as_str(), value.to_str().unwrap());
        }
    }
    answer.body(response.bytes().await.unwrap())
}

fn started(auth: Auth) -> Option<Registry> {
    Registry::start(&Options {
        auth,
        ..Options::default()
    })
}

fn basic() -> String {
    let encoded = BASE64_STANDARD.encode(format!("reader:{PASSWORD}"));
    format!("Basic {encoded}")
}

fn question(name: &str, platforms: &[&str]) -> BuildQuestion {
    let texts: Vec<String> = platforms.iter().map(|text| (*text).to_owned()).collect();
    BuildQuestion {
        of: Pointer::Tag(tag(name)),
        platforms: Platforms::parse(&texts).0,
        age: Age::Now,
    }
}

#[tokio::test]
async fn five_thousand_tags_are_listed_with_a_password() {
    let Some(registry) = started(Auth::Password) else {
        return;
    };
    let pusher = registry.pusher("a/web", &basic());
    pusher
        .image(Some("t0000"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let manifest = client_of(&registry)
        .manifest(&access("a/web"), &Pointer::Tag(tag("t0000")))
        .await;
    let manifest = serde_json::from_slice(&manifest.unwrap().unwrap().content).unwrap();
    let names = (1..5000).map(|number| format!("t{number:04}"));
    stream::iter(names)
        .for_each_concurrent(16, |name| {
            let (pusher, manifest) = (&pusher, &manifest);
            async move { _ = pusher.manifest(Some(&name), manifest).await }
        })
        .await;
    let proxy = Proxy::before(&registry).await;
    let client = client(guarded(&proxy.server.url()));
    let list = client.tags(&access("a/web")).await.unwrap();
    assert_eq!(list.tags.len(), 5000);
    assert_eq!(list.tags[4999], tag("t4999"));
    // One that is refused, five pages, and an empty one to which the fifth, being full, links.
    assert_eq!(proxy.server.asks().len(), 7);
    assert_eq!(kind(&tags(&client, "a/none").await), "missing");
}

fn client_of(registry: &Registry) -> HttpRegistries {
    client(guarded(&registry.url()))
}

#[tokio::test]
async fn a_wrong_password_and_none_are_denied() {
    let Some(registry) = started(Auth::Password) else {
        return;
    };
    let none = client(endpoint(&registry.url()));
    assert_eq!(kind(&tags(&none, "a").await), "denied");
    let mut wrong = setup(guarded(&registry.url()));
    wrong.credentials = Purse::of("wrong");
    let wrong = HttpRegistries::new(wrong);
    assert_eq!(kind(&tags(&wrong, "a").await), "denied");
}

#[tokio::test]
async fn tokens_are_got_renewed_and_refused() {
    let tokens = TokenServer::start().await;
    let Some(registry) = started(tokens.auth()) else {
        return;
    };
    let pusher = registry.pusher("a/web", &tokens.to_push("a/web"));
    pusher
        .image(Some("1"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let proxy = Proxy::before(&registry).await;
    let client = client(guarded(&proxy.server.url()));
    for _ in 0..2 {
        assert_eq!(tags(&client, "a/web").await.unwrap(), "1");
    }
    assert_eq!(
        (proxy.server.asks().len(), tokens.server.asks().len()),
        (3, 1)
    );

    tokens.expire(1);
    let other = registry.pusher("a/other", &tokens.to_push("a/other"));
    other
        .image(Some("2"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let expired = tags(&client, "a/other").await;
    assert_eq!(
        kind(&expired),
        "denied",
        "a token that was never good is not got again"
    );
    assert_eq!(tags(&client, "a/other").await.unwrap(), "2");

    let mut wrong = setup(guarded(&registry.url()));
    wrong.credentials = Purse::of("wrong");
    let wrong = HttpRegistries::new(wrong);
    assert_eq!(kind(&tags(&wrong, "a/web").await), "denied");
}

/// A client that holds a token which was good, as far as it can tell, and which the registry finds expired.
async fn with_an_ended_token(tokens: &TokenServer, proxy: &Proxy) -> HttpRegistries {
    let client = client(guarded(&proxy.server.url()));
    // One that had ended when it was given out, and an answer that stands in for the time before.
    tokens.expire(1);
    let challenge: Fault = Box::new(|answer| answer);
    let good: Fault = Box::new(|_| Answer::json(r#"{"name":"a/web","tags":["before"]}"#));
    proxy.fail(vec![challenge, good]);
    assert_eq!(tags(&client, "a/web").await.unwrap(), "before");
    assert_eq!(asks(tokens, proxy), (2, 1));
    client
}

/// How often the registry was asked, and the token server.
fn asks(tokens: &TokenServer, proxy: &Proxy) -> (usize, usize) {
    (proxy.server.asks().len(), tokens.server.asks().len())
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_fails_no_question() {
    let tokens = TokenServer::start().await;
    let Some(registry) = started(tokens.auth()) else {
        return;
    };
    let pusher = registry.pusher("a/web", &tokens.to_push("a/web"));
    pusher
        .image(Some("1"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let proxy = Proxy::before(&registry).await;
    let client = with_an_ended_token(&tokens, &proxy).await;
    assert_eq!(tags(&client, "a/web").await.unwrap(), "1");
    assert_eq!(asks(&tokens, &proxy), (2, 1), "refused, renewed, shown");
    assert_eq!(tags(&client, "a/web").await.unwrap(), "1");
    assert_eq!(asks(&tokens, &proxy), (1, 0), "the new one is kept");

    // It said that it is good for five minutes: after those it is not shown again.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(300)).await;
    tokio::time::resume();
    assert_eq!(tags(&client, "a/web").await.unwrap(), "1");
    assert_eq!(asks(&tokens, &proxy), (1, 1));
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_too_is_not_renewed_again() {
    let tokens = TokenServer::start().await;
    let Some(registry) = started(tokens.auth()) else {
        return;
    };
    let pusher = registry.pusher("a/web", &tokens.to_push("a/web"));
    pusher
        .image(Some("1"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let proxy = Proxy::before(&registry).await;
    let client = with_an_ended_token(&tokens, &proxy).await;
    tokens.expire(1);
    assert_eq!(kind(&tags(&client, "a/web").await), "denied");
    assert_eq!(asks(&tokens, &proxy), (2, 1));
    assert_eq!(tags(&client, "a/web").await.unwrap(), "1");
    assert_eq!(asks(&tokens, &proxy), (1, 1), "nor is it kept");
}

#[tokio::test]
async fn images_indexes_and_missing_platforms_are_told_apart() {
    let Some(registry) = started(Auth::None) else {
        return;
    };
    let pusher = registry.pusher("a", "");
    let amd64 = pusher
        .image(Some("one"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let arm64 = pusher
        .image(None, "linux/arm64", "2026-01-02T00:00:00.5+02:00")
        .await;
    let images = [("linux/amd64", amd64.clone()), ("linux/arm64", arm64)];
    let index = pusher.index(Some("both"), &images).await;
    let proxy = Proxy::before(&registry).await;
    let client = client(endpoint(&proxy.server.url()));
    let access = access("a");
    for (name, platforms, requests, expected) in [
        ("one", vec!["linux/amd64"], 2, Some("2026-01-01T00:00:00Z")),
        ("one", vec!["linux/s390x"], 1, None),
        (
            "both",
            vec!["linux/amd64", "linux/arm64"],
            3,
            Some("2026-01-01T22:00:00.500Z"),
        ),
        ("both", vec!["linux/s390x"], 1, None),
    ] {
        let build = client.build(&access, &question(name, &platforms)).await;
        let build = build.unwrap().unwrap();
        assert_eq!(
            build.is_for_platform,
            expected.is_some(),
            "{name} {platforms:?}"
        );
        let created = build.created.filter(|_| build.is_for_platform);
        let created = created.map(|time| humantime::format_rfc3339(time).to_string());
        let expected = expected.map(|text| {
            let time = humantime::parse_rfc3339(text).unwrap();
            humantime::format_rfc3339(time).to_string()
        });
        assert_eq!(created, expected);
        assert_eq!(proxy.server.asks().len(), requests, "{name} {platforms:?}");
    }
    assert_eq!(client.digest(&access, &tag("both")).await, Ok(Some(index)));
    assert_eq!(client.digest(&access, &tag("none")).await, Ok(None));
    assert_eq!(proxy.server.asks().len(), 2);
    // This registry knows nothing of referrers.
    assert_eq!(client.referrers(&access, &amd64).await, Ok(vec![]));
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_is_gone_over_again() {
    let Some(registry) = started(Auth::Password) else {
        return;
    };
    let pusher = registry.pusher("a", &basic());
    let image = pusher
        .image(Some("1"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    let proxy = Proxy::before(&registry).await;
    let client = client(guarded(&proxy.server.url()));
    assert_eq!(tags(&client, "a").await.unwrap(), "1");
    let faults = || -> Vec<(&str, Fault)> {
        vec![
            ("429", Box::new(|_| Answer::error(429, "TOOMANYREQUESTS"))),
            ("500", Box::new(|_| Answer::of(500))),
            ("cut", Box::new(|answer| answer.broken_after(5))),
        ]
    };
    for (name, fault) in faults() {
        proxy.server.asks();
        proxy.fail(vec![fault]);
        assert_eq!(tags(&client, "a").await.unwrap(), "1", "{name}");
        assert_eq!(proxy.server.asks().len(), 2, "{name}");
    }
    let build = client.build(&access("a"), &question("1", &[])).await;
    assert_eq!(build.unwrap().unwrap().digest, image);
    let lie: Fault = Box::new(|answer| answer.body("{}"));
    proxy.fail(vec![lie]);
    let of = Pointer::Digest(image);
    assert_eq!(kind(&client.manifest(&access("a"), &of).await), "nonsense");
}

#[tokio::test]
async fn a_push_is_notified() {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let receiver = Scripted::start(move |ask, _, _| {
        arrived.send(ask.clone()).unwrap();
        Answer::of(200)
    })
    .await;
    let Some(registry) = Registry::start(&Options {
        notified: vec![notified(&receiver.url(), "Bearer x")],
        ..Options::default()
    }) else {
        return;
    };
    let pusher = registry.pusher("a/web", "");
    pusher
        .image(Some("1"), "linux/amd64", "2026-01-01T00:00:00Z")
        .await;
    loop {
        let ask = arrivals.recv().await.unwrap();
        assert_eq!(ask.header("authorization"), Some("Bearer x"));
        let body: serde_json::Value = serde_json::from_str(&ask.body).unwrap();
        if body["events"][0]["target"]["tag"] == "1" {
            assert_eq!(body["events"][0]["action"], "push");
            return;
        }
    }
}
