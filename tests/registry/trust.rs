//! Whose certificate is good.

use std::fs;

use image_updater::adapters::registry::HttpRegistries;
use image_updater::adapters::registry::Setup;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::domain::registry::endpoint::Trust;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::client;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::setup;
use crate::support::tags;
use crate::support::tls;

async fn secure() -> (Scripted, String) {
    let (acceptor, authority) = tls();
    let answer = |_: &_| Answer::json(r#"{"name":"a","tags":["1"]}"#);
    (Scripted::secure(acceptor, answer).await, authority)
}

fn trusting(url: &str, trust: Trust) -> Endpoint {
    Endpoint {
        trust,
        ..endpoint(url)
    }
}

fn authorities(file: Option<&std::path::Path>, data: Option<&str>) -> Trust {
    Trust::Authorities {
        file: file.map(ToOwned::to_owned),
        data: data.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_certificate_is_good_by_a_file_by_data_by_a_folder_or_not_at_all() {
    let (registry, authority) = secure().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("localhost");
    fs::write(&file, &authority).unwrap();
    let url = registry.url();
    for trust in [
        authorities(Some(&file), None),
        authorities(None, Some(&authority)),
        Trust::Anything,
    ] {
        let client = client(trusting(&url, trust));
        assert_eq!(tags(&client, "a").await.unwrap(), "1");
    }
    let by_folder = HttpRegistries::new(Setup {
        certificates: folder.path().to_owned(),
        ..setup(endpoint(&url))
    });
    assert_eq!(tags(&by_folder, "a").await.unwrap(), "1");
    let versions = registry.asks().into_iter().map(|ask| ask.version);
    assert!(
        versions
            .into_iter()
            .all(|version| version == http::Version::HTTP_2)
    );
}

#[tokio::test]
async fn a_certificate_of_nobody_is_refused_with_what_to_do() {
    let (registry, _) = secure().await;
    let refused = tags(&client(endpoint(&registry.url())), "a").await;
    assert_eq!(kind(&refused), "unavailable");
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("ca_file"), "{text}");
    assert!(registry.asks().is_empty());
}

#[tokio::test]
async fn an_authority_that_was_renewed_counts_after_the_first_refusal() {
    let (registry, authority) = secure().await;
    let (_, outdated) = tls();
    let folder = tempfile::tempdir().unwrap();
    let (named, usual) = (
        folder.path().join("ca.pem"),
        folder.path().join("localhost"),
    );
    let url = registry.url();
    for (file, trust, before) in [
        (&named, authorities(Some(&named), None), Some(&outdated)),
        (&usual, authorities(None, None), Some(&outdated)),
        (&usual, authorities(None, None), None),
    ] {
        let _ = fs::remove_file(file);
        if let Some(before) = before {
            fs::write(file, before).unwrap();
        }
        let client = HttpRegistries::new(Setup {
            certificates: folder.path().to_owned(),
            ..setup(trusting(&url, trust))
        });
        for _ in 0..2 {
            assert_eq!(kind(&tags(&client, "a").await), "unavailable");
        }
        fs::write(file, &authority).unwrap();
        assert_eq!(tags(&client, "a").await.unwrap(), "1");
    }
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "nothing").unwrap();
    for file in [&empty, &folder.path().join("missing")] {
        let trust = authorities(Some(file), None);
        let client = client(trusting("https://localhost:1", trust));
        let failed = tags(&client, "a").await;
        let text = failed.unwrap_err().to_string();
        assert!(text.contains(&file.display().to_string()), "{text}");
    }
}
