//! Digests and builds.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;

use image_updater::domain::reference::Digest;
use image_updater::domain::registry::answer::Build;
use image_updater::domain::registry::platform::Platforms;
use image_updater::domain::registry::question::Age;
use image_updater::domain::registry::question::BuildQuestion;
use image_updater::domain::registry::question::Pointer;
use image_updater::ports::artifact_reader::ArtifactReader as _;
use image_updater::ports::registry_client::RegistryClient as _;
use serde_json::json;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::access;
use crate::support::client;
use crate::support::digest;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::tag;

/// What a registry holds: manifests by tag and by digest, blobs by digest.
#[derive(Clone, Default)]
struct Holding(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Holding {
    fn put(&self, path: &str, content: &[u8]) {
        let mut held = self.0.lock().unwrap();
        held.insert(format!("/v2/a/{path}"), content.to_owned());
    }

    fn blob(&self, content: &str) -> Digest {
        let digest = digest(content.as_bytes());
        self.put(&format!("blobs/{digest}"), content.as_bytes());
        digest
    }

    fn manifest(&self, content: &serde_json::Value) -> Digest {
        let content = content.to_string();
        let digest = digest(content.as_bytes());
        self.put(&format!("manifests/{digest}"), content.as_bytes());
        digest
    }

    /// An image that was built so many seconds after 1970.
    fn image(&self, platform: &str, seconds: u64) -> Digest {
        let (os, architecture) = platform.split_once('/').unwrap();
        let created =
            humantime::format_rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let config =
            json!({"os": os, "architecture": architecture, "created": created.to_string()});
        let config = self.blob(&config.to_string());
        self.manifest(&json!({"config": {"digest": config.as_str()}}))
    }

    fn index(&self, children: &[(&str, &Digest)]) -> Digest {
        let children: Vec<_> = children
            .iter()
            .map(|(platform, digest)| {
                let (os, architecture) = platform.split_once('/').unwrap();
                json!({"digest": digest.as_str(), "platform": {"os": os, "architecture": architecture}})
            })
            .collect();
        self.manifest(&json!({ "manifests": children }))
    }

    fn tag(&self, tag: &str, digest: &Digest) {
        let content = self.0.lock().unwrap()[&format!("/v2/a/manifests/{digest}")].clone();
        self.put(&format!("manifests/{tag}"), &content);
    }

    async fn served(&self) -> Scripted {
        let holding = self.clone();
        Scripted::start(move |ask, _, _| {
            let (_, path) = ask.line.split_once(' ').unwrap();
            let held = holding.0.lock().unwrap();
            match held.get(path) {
                Some(content) => Answer::json(content.clone())
                    .with("docker-content-digest", digest(content).as_str()),
                None => Answer::error(404, "MANIFEST_UNKNOWN"),
            }
        })
        .await
    }
}

fn question(of: Pointer, platforms: &[&str], age: Age) -> BuildQuestion {
    let texts: Vec<String> = platforms.iter().map(|text| (*text).to_owned()).collect();
    BuildQuestion {
        of,
        platforms: Platforms::parse(&texts).0,
        age,
    }
}

fn tagged(text: &str) -> Pointer {
    Pointer::Tag(tag(text))
}

fn seconds(build: &Build) -> Option<u64> {
    let since = build.created?.duration_since(SystemTime::UNIX_EPOCH);
    Some(since.unwrap().as_secs())
}

#[tokio::test]
async fn a_digest_is_asked_by_head_or_else_reckoned() {
    let content = br#"{"config":null}"#;
    let expected = digest(content);
    let header = expected.to_string();
    let said = Answer::of(200).with("docker-content-digest", &header);
    let unsaid = Answer::of(200).body(*content);
    for (head, get, requests) in [
        (said.clone(), Answer::of(500), 1),
        (Answer::of(200), unsaid.clone(), 2),
        (
            Answer::of(200).with("docker-content-digest", "sha256:1"),
            unsaid.clone(),
            2,
        ),
        (Answer::of(405), unsaid, 2),
    ] {
        let registry = Scripted::start(move |ask, _, _| {
            if ask.is("HEAD") {
                head.clone()
            } else {
                get.clone()
            }
        })
        .await;
        let found = client(endpoint(&registry.url()))
            .digest(&access("a"), &tag("1"))
            .await;
        assert_eq!(found.unwrap(), Some(expected.clone()));
        let asks = registry.asks();
        assert_eq!(asks.len(), requests);
        let accepted = asks[0].header("accept").unwrap();
        assert_eq!(accepted.split(", ").count(), 4);
    }
}

#[tokio::test]
async fn a_tag_that_is_not_there_is_no_digest_and_a_proxys_page_is_no_answer() {
    let missing = Scripted::start(|_, _, _| Answer::error(404, "MANIFEST_UNKNOWN")).await;
    let found = client(endpoint(&missing.url()))
        .digest(&access("a"), &tag("1"))
        .await;
    assert_eq!((found, missing.asks().len()), (Ok(None), 1));
    // The same from one that calls its errors text. What HEAD brings is a text without a word.
    let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}"#;
    let text = || Answer::of(404).with("content-type", "text/plain; charset=utf-8");
    let missing = Scripted::start(move |_, _, _| text().body(body)).await;
    let found = client(endpoint(&missing.url()))
        .digest(&access("a"), &tag("1"))
        .await;
    assert_eq!((found, missing.asks().len()), (Ok(None), 2));
    let proxy = Scripted::start(|_, _, _| Answer::of(404).with("content-type", "text/plain")).await;
    let found = client(endpoint(&proxy.url()))
        .digest(&access("a"), &tag("1"))
        .await;
    assert_eq!(kind(&found), "nonsense");
}

#[tokio::test]
async fn no_digest_comes_from_a_cache() {
    let holding = Holding::default();
    let registry = holding.served().await;
    let client = client(endpoint(&registry.url()));
    for number in 0..3 {
        let image = holding.image("linux/amd64", number);
        holding.tag("1", &image);
        let found = client.digest(&access("a"), &tag("1")).await.unwrap();
        assert_eq!(found, Some(image));
    }
    assert_eq!(registry.asks().len(), 3);
}

#[tokio::test]
async fn an_image_is_two_requests_and_then_one_and_then_none() {
    let holding = Holding::default();
    holding.tag("1", &holding.image("linux/amd64", 7));
    let registry = holding.served().await;
    let client = client(endpoint(&registry.url()));
    for (age, platform, requests, is_for_platform) in [
        (Age::Now, "linux/amd64", 2, true),
        (Age::Now, "linux/amd64", 1, true),
        (Age::Recent, "linux/amd64", 0, true),
        (Age::Recent, "linux/arm64", 0, false),
    ] {
        let question = question(tagged("1"), &[platform], age);
        let build = client
            .build(&access("a"), &question)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(seconds(&build), Some(7));
        assert_eq!(build.is_for_platform, is_for_platform);
        assert_eq!(registry.asks().len(), requests, "{age:?} {platform}");
    }
    let moved = holding.image("linux/amd64", 8);
    holding.tag("1", &moved);
    let now = question(tagged("1"), &[], Age::Now);
    let build = client.build(&access("a"), &now).await.unwrap().unwrap();
    assert_eq!((seconds(&build), &build.digest), (Some(8), &moved));
    assert_eq!(registry.asks().len(), 3);
    // What was learned counts for those who are content with it.
    let recent = question(tagged("1"), &[], Age::Recent);
    let build = client.build(&access("a"), &recent).await.unwrap().unwrap();
    assert_eq!((build.digest, registry.asks().len()), (moved, 0));
    let gone = question(tagged("2"), &[], Age::Now);
    assert_eq!(client.build(&access("a"), &gone).await, Ok(None));
}

#[tokio::test]
async fn of_an_index_those_for_the_platforms_count() {
    let holding = Holding::default();
    let amd64 = holding.image("linux/amd64", 5);
    let arm64 = holding.image("linux/arm64", 9);
    let attestation = holding.image("unknown/unknown", 99);
    let windows = holding.image("windows/amd64", 50);
    let index = holding.index(&[
        ("unknown/unknown", &attestation),
        ("windows/amd64", &windows),
        ("linux/amd64", &amd64),
        ("linux/arm64", &arm64),
    ]);
    holding.tag("1", &index);
    let registry = holding.served().await;
    let client = || client(endpoint(&registry.url()));
    let own = if cfg!(target_arch = "aarch64") { 9 } else { 5 };
    for (platforms, created, is_for_platform, requests) in [
        (vec![], Some(own), true, 3),
        (vec!["linux/amd64"], Some(5), true, 3),
        (vec!["linux/amd64", "linux/arm64"], Some(9), true, 5),
        (vec!["linux/s390x"], None, false, 1),
    ] {
        let question = question(tagged("1"), &platforms, Age::Now);
        let build = client()
            .build(&access("a"), &question)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(build.digest, index);
        assert_eq!(seconds(&build), created, "{platforms:?}");
        assert_eq!(build.is_for_platform, is_for_platform, "{platforms:?}");
        assert_eq!(registry.asks().len(), requests, "{platforms:?}");
    }
}

#[tokio::test]
async fn what_an_index_names_must_be_there_and_an_index_in_an_index_is_read() {
    let holding = Holding::default();
    let inner = holding.index(&[("linux/amd64", &holding.image("linux/amd64", 3))]);
    let outer = holding.manifest(&json!({"manifests": [{"digest": inner.as_str()}]}));
    holding.tag("nested", &outer);
    let lost = digest(b"lost");
    holding.tag("lost", &holding.index(&[("linux/amd64", &lost)]));
    let bare = json!({"config": {"digest": lost.as_str()}});
    holding.tag("bare", &holding.manifest(&bare));
    let registry = holding.served().await;
    let client = client(endpoint(&registry.url()));
    let ask = |tag: &str| question(tagged(tag), &["linux/amd64"], Age::Now);
    let nested = client
        .build(&access("a"), &ask("nested"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((seconds(&nested), nested.is_for_platform), (Some(3), true));
    for tag in ["lost", "bare"] {
        assert_eq!(
            kind(&client.build(&access("a"), &ask(tag)).await),
            "nonsense"
        );
    }
}

#[tokio::test]
async fn an_artifact_says_when_it_was_made_by_its_annotation() {
    let holding = Holding::default();
    let chart = json!({
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(b"").as_str()},
        "annotations": {"org.opencontainers.image.created": "1970-01-01T00:00:04Z"},
    });
    holding.tag("1", &holding.manifest(&chart));
    let registry = holding.served().await;
    let client = client(endpoint(&registry.url()));
    let any = question(tagged("1"), &[], Age::Now);
    let build = client.build(&access("a"), &any).await.unwrap().unwrap();
    assert_eq!((seconds(&build), build.is_for_platform), (Some(4), true));
    assert_eq!(registry.asks().len(), 1);
    let some = question(tagged("1"), &["linux/amd64"], Age::Now);
    let build = client.build(&access("a"), &some).await.unwrap().unwrap();
    assert!(!build.is_for_platform);
}

#[tokio::test]
async fn content_is_read_as_it_is() {
    let holding = Holding::default();
    let image = holding.image("linux/amd64", 1);
    let blob = holding.blob("hello");
    let registry = holding.served().await;
    let client = client(endpoint(&registry.url()));
    let pointer = Pointer::Digest(image.clone());
    let manifest = client
        .manifest(&access("a"), &pointer)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(manifest.digest, image);
    let read = client.blob(&access("a"), &blob).await.unwrap();
    assert_eq!(read.as_deref(), Some(b"hello".as_slice()));
    let lost = digest(b"lost");
    assert_eq!(client.blob(&access("a"), &lost).await, Ok(None));
    let lost = Pointer::Digest(lost);
    assert_eq!(client.manifest(&access("a"), &lost).await, Ok(None));
}

#[tokio::test]
async fn referrers_come_in_pages_or_not_at_all() {
    let subject = digest(b"subject");
    let entry = |name: &[u8]| json!({"manifests": [{"digest": digest(name).as_str(), "artifactType": "x/y"}]});
    let (first, second) = (entry(b"1").to_string(), entry(b"2").to_string());
    let registry = Scripted::start(move |ask, _, _| {
        if ask.is("page=2") {
            Answer::json(second.clone())
        } else if ask.is("/v2/a/") {
            Answer::json(first.clone()).with("link", "<?page=2>; rel=\"next\"")
        } else {
            Answer::of(404)
        }
    })
    .await;
    let client = client(endpoint(&registry.url()));
    let found = client.referrers(&access("a"), &subject).await.unwrap();
    let digests: Vec<Digest> = found.into_iter().map(|one| one.digest).collect();
    assert_eq!(digests, [digest(b"1"), digest(b"2")]);
    let none = client.referrers(&access("b"), &subject).await;
    assert_eq!(none, Ok(vec![]));
}
