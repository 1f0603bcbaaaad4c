use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use super::*;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::question::BuildQuestion;
use crate::ports::registry_client::MockRegistryClient;
use crate::ports::registry_client::RegistryError;

fn access() -> Access {
    Access::plain(ImageName::parse("quay.io/acme/web").unwrap())
}

fn digest() -> Digest {
    Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap()
}

fn rules<'a>(strategy: &'a str, constraint: Option<&'a str>) -> PolicyRules<'a> {
    PolicyRules {
        strategy: Some(strategy),
        constraint,
        ..PolicyRules::default()
    }
}

/// A registry that lists these tags; each was built a minute after the one before it.
fn registry(tags: &[&str]) -> MockRegistryClient {
    let tags: Arc<[Tag]> = tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect();
    let mut client = MockRegistryClient::new();
    let listed = Arc::clone(&tags);
    client.expect_tags().times(..=1).returning(move |_| {
        Ok(TagList {
            tags: Arc::clone(&listed),
            order: TagOrder::Unsorted,
        })
    });
    let known = Arc::clone(&tags);
    client
        .expect_digest()
        .returning(move |_, tag| Ok(known.contains(tag).then(digest)));
    client
        .expect_build()
        .returning(move |_, question: &BuildQuestion| {
            let place = tags
                .iter()
                .position(|tag| tag.as_str() == question.of.as_str());
            Ok(place.map(|place| Build {
                digest: digest(),
                created: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(place as u64 * 60)),
                is_for_platform: true,
            }))
        });
    client
}

async fn verdict(rules: PolicyRules<'_>, tags: &[&str]) -> Verdict {
    try_out(access(), &rules, &registry(tags)).await.unwrap()
}

#[tokio::test]
async fn the_best_tag_is_chosen_and_named_in_full() {
    let tags = ["1.2", "latest", "1.10", "2.0"];
    for (rules, reference) in [
        (rules("semver", Some("1.x")), "quay.io/acme/web:1.10"),
        (rules("semver", None), "quay.io/acme/web:2.0"),
        (rules("alphabetical", None), "quay.io/acme/web:latest"),
        (rules("newest-build", None), "quay.io/acme/web:2.0"),
        (
            rules("digest", Some("latest")),
            &format!("quay.io/acme/web:latest@{}", digest()),
        ),
    ] {
        let verdict = verdict(rules, &tags).await;
        assert_eq!(verdict.reference().as_deref(), Some(reference));
        assert_eq!(verdict.notes, Vec::<String>::new());
    }
}

#[tokio::test]
async fn nothing_to_choose_is_an_answer_too() {
    for (rules, told) in [
        (rules("semver", Some("3.x")), "does not satisfy"),
        (rules("digest", Some("gone")), "does not have tag gone"),
    ] {
        let verdict = verdict(rules, &["1.2"]).await;
        assert_eq!(verdict.reference(), None);
        assert!(verdict.reason.contains(told), "{}", verdict.reason);
    }
}

#[tokio::test]
async fn what_is_odd_in_the_rules_is_noted() {
    let verdict = verdict(rules("latest", Some("1.x")), &["1.2"]).await;
    let notes = verdict.notes.join("\n");
    assert!(notes.contains("old name of newest-build"), "{notes}");
    assert!(notes.contains("constraint 1.x does not count"), "{notes}");
}

#[tokio::test]
async fn rules_without_sense_ask_nobody() {
    for (rules, told) in [
        (rules("semver", Some("%")), "--semver-constraint: "),
        (rules("digest", None), "--semver-constraint latest"),
        (rules("digest", Some("a b")), "\"a b\" is none"),
    ] {
        let client = MockRegistryClient::new();
        let error = try_out(access(), &rules, &client).await.unwrap_err();
        assert!(matches!(error, TrialError::Rules(_)));
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_an_error() {
    let mut client = MockRegistryClient::new();
    client.expect_tags().times(1).returning(|_| {
        Err(RegistryError::Denied {
            registry: "quay.io".to_owned(),
            reason: "401".to_owned(),
        })
    });
    let error = try_out(access(), &rules("semver", None), &client).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "registry quay.io refused access: 401"
    );
}

#[tokio::test]
async fn people_see_the_best_candidates_and_what_each_rule_drops() {
    let patches: Vec<String> = (0..30).map(|patch| format!("1.0.{patch}")).collect();
    let mut tags: Vec<&str> = patches.iter().map(String::as_str).collect();
    tags.extend(["a", "b", "c", "d", "e", "f", "2.0"]);
    let verdict = verdict(rules("semver", Some("1.x")), &tags).await;
    let shown = text::render(&verdict);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[..8],
        [
            "image     quay.io/acme/web",
            "strategy  semver, constraint 1.x",
            "chosen    quay.io/acme/web:1.0.29",
            "because   it is the best of 30 candidates, by version",
            "",
            "30 candidates, the best first:",
            "  1.0.29",
            "  1.0.28",
        ]
    );
    assert_eq!(
        lines[25..],
        [
            "  1.0.10",
            "  and 10 more",
            "",
            "7 tags dropped:",
            "  no-version       6  a, b, c, d, e, …",
            "                      tag a is no version",
            "  constraint       1  2.0",
            "                      tag 2.0 does not satisfy the constraint 1.x",
        ]
    );
}

#[tokio::test]
async fn people_see_when_candidates_were_built() {
    let shown = text::render(&verdict(rules("newest-build", None), &["b", "long"]).await);
    let expected = "2 candidates, the best first:\n  long  built 1970-01-01T00:01:00Z\n  b     built 1970-01-01T00:00:00Z\n\nno tags dropped";
    assert!(shown.ends_with(expected), "{shown}");
}

#[tokio::test]
async fn programs_see_everything() {
    let verdict = verdict(rules("newest-build", None), &["b"]).await;
    assert_eq!(
        json::render("acme/web", Ok(&verdict)).unwrap(),
        concat!(
            r#"{"image":"acme/web","strategy":"newest-build","constraint":null,"chosen":"quay.io/acme/web:b","#,
            r#""reason":"it is the only candidate, by when it was built","#,
            r#""candidates":[{"tag":"b","created":"1970-01-01T00:00:00Z"}],"dropped":[],"notes":[],"error":null}"#
        )
    );
    let error = TrialError::Registry("no".to_owned());
    assert_eq!(
        json::render("acme/web", Err(&error)).unwrap(),
        concat!(
            r#"{"image":"acme/web","strategy":null,"constraint":null,"chosen":null,"reason":null,"#,
            r#""candidates":[],"dropped":[],"notes":[],"error":"no"}"#
        )
    );
}
