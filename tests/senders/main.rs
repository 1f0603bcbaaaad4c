//! The senders, by the deliveries in `tests/fixtures/` and by what holds for any delivery.
#![cfg(feature = "server")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

mod fixture;
mod properties;
mod terraform;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use image_updater::adapters::senders;
use image_updater::domain::delivery::Delivery;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::Digest;
use image_updater::domain::secret_policy::Denied;
use image_updater::domain::secret_policy::SecretPolicy;
use image_updater::domain::secret_policy::Secrets;
use image_updater::ports::payload_decoder::Decoded;
use image_updater::ports::payload_decoder::PayloadDecoder;
use serde_json::Value;
use serde_json::json;

use crate::fixture::Fixture;

/// A sender with its fixtures.
type Case = (Box<dyn PayloadDecoder>, Vec<Fixture>);

/// Every sender.
static FIXTURES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let all = senders::all().into_iter();
    all.map(|sender| {
        let fixtures = fixture::of(sender.profile().name);
        (sender, fixtures)
    })
    .collect()
});

/// What the command `decode` prints of a delivery.
fn outcome(sender: &dyn PayloadDecoder, delivery: &Delivery) -> Value {
    let (outcome, reason, images) = match sender.decode(delivery) {
        Ok(Decoded::Images(images)) => ("accepted", None, images),
        Ok(Decoded::Ignored(reason)) => ("ignored", Some(reason), Vec::new()),
        Err(error) => ("rejected", Some(error.to_string()), Vec::new()),
    };
    let image = |event: &ImageEvent| {
        json!({
            "registry": event.image.registry().as_str(),
            "repository": event.image.repository().as_str(),
            "tag": event.tag.as_str(),
            "digest": event.digest.as_ref().map(Digest::as_str),
        })
    };
    let images: Vec<Value> = images.iter().map(image).collect();
    json!({"outcome": outcome, "reason": reason, "images": images})
}

#[test]
fn every_fixture_means_what_it_says() {
    let mut wrong = Vec::new();
    for (sender, fixtures) in FIXTURES.iter() {
        for fixture in fixtures {
            let actual = outcome(sender.as_ref(), &fixture.delivery);
            if actual != fixture.expected {
                let expected = &fixture.expected;
                wrong.push(format!(
                    "{}\n  is  {actual}\n  not {expected}",
                    fixture.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sender_has_a_fixture_of_each_outcome() {
    for (sender, fixtures) in FIXTURES.iter() {
        let outcomes: BTreeSet<&str> = fixtures
            .iter()
            .filter_map(|fixture| fixture.expected["outcome"].as_str())
            .collect();
        let name = sender.profile().name;
        assert!(outcomes.contains("accepted"), "{name}");
        assert!(outcomes.contains("ignored"), "{name}");
        assert!(outcomes.contains("rejected"), "{name}");
    }
}

#[test]
fn every_fixture_proves_who_sent_it() {
    let policy = SecretPolicy {
        require_secret: true,
    };
    let (right, wrong) = (Secrets::parse("fixture-secret"), Secrets::parse("another"));
    for (sender, fixtures) in FIXTURES.iter() {
        for Fixture { name, delivery, .. } in fixtures {
            let verify = |secrets| policy.verify(sender.profile(), secrets, delivery.clone());
            assert!(verify(&right).is_ok(), "{name}");
            assert_eq!(verify(&wrong), Err(Denied::Invalid), "{name}");
        }
    }
}

#[test]
fn no_two_senders_share_a_name() {
    let mut names = BTreeSet::new();
    let mut secret_names = BTreeSet::new();
    for sender in senders::all() {
        let profile = sender.profile();
        assert!(names.insert(profile.name), "{}", profile.name);
        assert!(secret_names.insert(profile.secret_name), "{}", profile.name);
        assert!(!profile.title.is_empty(), "{}", profile.name);
        assert!(
            profile.documentation.starts_with("https://"),
            "{}",
            profile.name
        );
    }
}

#[test]
fn every_sender_is_documented() {
    let document = read("docs/SENDERS.md");
    for sender in senders::all() {
        let profile = sender.profile();
        let example = format!("(../tests/fixtures/{}/", profile.name);
        let secret = format!("`webhook.{}-secret`", profile.secret_name);
        let url = format!("/webhook?type={}", profile.name);
        for part in [&example, &secret, &url, profile.documentation] {
            assert!(
                document.contains(part),
                "docs/SENDERS.md does not have {part}"
            );
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
