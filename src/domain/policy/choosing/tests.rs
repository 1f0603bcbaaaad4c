//! Tests of choosing, in tables: what was pushed, what is in use, and the verdict.

use super::*;
use crate::domain::policy::PolicyRules;
use crate::domain::reference::Digest;
use proptest::prelude::*;

fn policy(strategy: &str, constraint: &str) -> Policy {
    filtered(strategy, constraint, "", &[])
}

fn filtered(strategy: &str, constraint: &str, allow: &str, ignore: &[&str]) -> Policy {
    let ignore: Vec<String> = ignore.iter().map(|text| (*text).to_owned()).collect();
    let rules = PolicyRules {
        strategy: Some(strategy),
        constraint: Some(constraint),
        allow_tags: Some(allow),
        ignore_tags: &ignore,
        platforms: &[],
    };
    Policy::parse(&rules).unwrap().0
}

fn fake_digest(fill: char) -> Digest {
    Digest::parse(&format!("sha256:{}", fill.to_string().repeat(64))).unwrap()
}

/// A tag, or a tag and what its digest is filled with: `1.2@a`.
fn split(text: &str) -> (&str, Option<Digest>) {
    match text.split_once('@') {
        Some((tag, fill)) => (tag, fill.chars().next().map(fake_digest)),
        None => (text, None),
    }
}

fn pushed(texts: &[&str]) -> Vec<Pushed> {
    let one = |text: &&str| {
        let (tag, digest) = split(text);
        let tag = Tag::parse(tag).unwrap();
        Pushed { tag, digest }
    };
    texts.iter().map(one).collect()
}

fn current(texts: &[&str]) -> Vec<Current> {
    let one = |text: &&str| {
        let (tag, digest) = split(text);
        let tag = (!tag.is_empty()).then(|| tag.to_owned());
        Current { tag, digest }
    };
    texts.iter().map(one).collect()
}

/// What a policy makes of pushes, as text: a tag (and the first digit of its digest), `unchanged: …` or `undecided: …`.
fn verdict(policy: &Policy, push: &[&str], in_use: &[&str]) -> String {
    match policy.choose(&pushed(push), &current(in_use)) {
        Choice::Change(NewVersion { tag, digest }) => match digest {
            Some(digest) => format!("{tag}@{}", &digest.as_str()[7..8]),
            None => tag.to_string(),
        },
        Choice::Unchanged(reason) => format!("unchanged: {reason}"),
        Choice::Undecided(reason) => format!("undecided: {reason}"),
        Choice::Open | Choice::Failed(_) => panic!("the event alone opens no question"),
    }
}

/// Whether a verdict is the expected one; `unchanged` stands for any reason.
fn check(policy: &Policy, rows: &[(&[&str], &[&str], &str)]) {
    for (push, in_use, expected) in rows {
        let verdict = verdict(policy, push, in_use);
        let short = verdict.split(':').next().unwrap();
        assert_eq!(short, *expected, "{push:?} {in_use:?}: {verdict}");
    }
}

#[test]
fn semver_takes_the_highest_version_that_is_a_step_up() {
    check(
        &policy("semver", "1.x"),
        &[
            (&["1.3.0"], &["1.2.0"], "1.3.0"),
            (&["1.3.0", "1.5.0", "1.4.0"], &["1.2.0"], "1.5.0"),
            (&["1.5.1", "1.5", "latest", "2.0"], &["1.5.0"], "1.5.1"),
            (&["1.10.0"], &["1.9.0"], "1.10.0"),
            (&["1.2.0"], &["1.2.0"], "unchanged"),
            (&["1.1.0"], &["1.2.0"], "unchanged"),
            // Another spelling is no step up, nor is other content under the same tag.
            (&["v1.2"], &["1.2.0"], "unchanged"),
            (&["1.2.0@b"], &["1.2.0@a"], "unchanged"),
            // Of two spellings pushed together the order of texts decides.
            (&["v1.3.0", "1.3"], &["1.2.0"], "v1.3.0"),
            (&["1.3", "v1.3.0"], &["1.2.0"], "v1.3.0"),
            // Everything that is in use counts.
            (&["1.2.5"], &["1.2.0", "1.3.0"], "unchanged"),
            (&["1.2.5"], &["1.3.0", "1.2.0"], "unchanged"),
            (&["1.3.0"], &["1.2.0", "1.3.0"], "unchanged"),
            (&["1.4.0"], &["1.2.0", "1.3.0"], "1.4.0"),
            // What is no version is lower than every version.
            (&["1.0.0"], &["latest"], "1.0.0"),
            (&["1.0.0"], &["latest", "1.2.0"], "unchanged"),
            (&["1.0.0"], &[""], "1.0.0"),
            // A digest alone may be of any version, unless it stands elsewhere with its tag.
            (&["1.0.0"], &["@a"], "undecided"),
            (&["1.2.5"], &["@a", "1.2.0@b"], "undecided"),
            (&["1.2.0"], &["@a", "1.2.0"], "unchanged"),
            (&["1.2.5"], &["@a", "1.2.0@a"], "1.2.5"),
            (&["1.0.0"], &["latest@a"], "1.0.0"),
            (&["1.0.0"], &["no tag at all"], "1.0.0"),
            (&["1.0.0"], &[], "1.0.0"),
            (&["1.2.0"], &["1.2.0-rc1"], "1.2.0"),
            (&["1.2.0"], &["2.0.0"], "unchanged"),
            (&[], &["1.2.0"], "unchanged"),
        ],
    );
    check(
        &policy("semver", ""),
        &[
            (&["2.0.0"], &["1.2.0"], "2.0.0"),
            (&["2.0.0-rc1"], &["1.2.0"], "unchanged"),
        ],
    );
    check(
        &policy("semver", ">=1.0-0"),
        &[(&["2.0.0-rc1"], &["1.2.0"], "2.0.0-rc1")],
    );
}

#[test]
fn alphabetical_takes_the_last_tag_that_is_a_step_up() {
    check(
        &policy("alphabetical", "~1.2"),
        &[
            (&["2024-05-02"], &["2024-05-01"], "2024-05-02"),
            (&["b", "c", "a"], &["a"], "c"),
            (&["1.10"], &["1.9"], "unchanged"),
            (&["a"], &["B"], "a"),
            (&["b"], &["b"], "unchanged"),
            (&["b@b"], &["b@a"], "unchanged"),
            (&["b"], &["a", "c"], "unchanged"),
            (&["a"], &[""], "a"),
            (&["a"], &["@a"], "undecided"),
            (&["a"], &["~not a tag"], "a"),
            (&["a"], &[], "a"),
        ],
    );
}

#[test]
fn newest_build_takes_the_tag_that_was_pushed_last() {
    check(
        &filtered("newest-build", "1.x", "", &["*-dev"]),
        &[
            (&["main-2", "main-1"], &["main-9"], "main-1"),
            (&["main-2", "main-3-dev"], &["main-1"], "main-2"),
            (&["main-1"], &["main-1"], "unchanged"),
            (&["main-1"], &["main-1", "main-1"], "unchanged"),
            (&["main-1"], &["main-1", "main-0"], "main-1"),
            (&["main-1@b"], &["main-1"], "unchanged"),
            // A pinned digest would keep the new build from running.
            (&["main-1@b"], &["main-1@b"], "unchanged"),
            (&["main-1@b"], &["main-1@a"], "main-1"),
            (&["main-1"], &["main-1@a"], "main-1"),
            (&["main-1"], &[""], "main-1"),
            (&["main-1"], &[], "main-1"),
        ],
    );
}

#[test]
fn newest_build_for_platforms_takes_a_registry() {
    let platforms = ["linux/amd64".to_owned()];
    let rules = PolicyRules {
        strategy: Some("newest-build"),
        platforms: &platforms,
        ignore_tags: &["*-dev".to_owned()],
        ..PolicyRules::default()
    };
    let (newest, _) = Policy::parse(&rules).unwrap();
    check(
        &newest,
        &[
            (&["a"], &["b"], "undecided"),
            (&["a-dev"], &["b"], "unchanged"),
        ],
    );
    let (semver, _) = Policy::parse(&PolicyRules {
        strategy: None,
        ..rules
    })
    .unwrap();
    check(&semver, &[(&["2"], &["1"], "2")]);
    let (digest, _) = Policy::parse(&PolicyRules {
        strategy: Some("digest"),
        constraint: Some("a"),
        ..rules
    })
    .unwrap();
    check(&digest, &[(&["a@1"], &["a@2"], "a@1")]);
}

#[test]
fn digest_follows_one_tag() {
    check(
        &policy("digest", "stable"),
        &[
            (&["stable@b"], &["stable@a"], "stable@b"),
            (&["stable@b"], &["stable"], "stable@b"),
            (&["stable@b"], &["other@b"], "unchanged"),
            (&["stable@b"], &["@b"], "unchanged"),
            (&["stable@b"], &["stable@b", "stable@a"], "stable@b"),
            (&["stable@b"], &["stable@b", "stable@b"], "unchanged"),
            (&["stable@b", "stable@c"], &["stable@a"], "stable@c"),
            (&["stable@b"], &[], "stable@b"),
            (&["stable"], &["stable@a"], "undecided"),
            (&["Stable@b"], &["stable@a"], "unchanged"),
            (&["1.2@b"], &["stable@a"], "unchanged"),
        ],
    );
}

fn check_reasons(policy: &Policy, rows: &[(&str, &str, &str)]) {
    for (push, in_use, reason) in rows {
        assert_eq!(
            verdict(policy, &[push], &[in_use]),
            format!("unchanged: {reason}")
        );
    }
}

#[test]
fn a_refusal_names_tag_and_rule() {
    let signature = format!("sha256-{}.sig", "0".repeat(64));
    let no_image = format!("tag {signature} holds a signature or the like, no image");
    let pre_release = "tag 1.2.5-rc1 is a pre-release, which the constraint ~1.2 does not admit without one of its own, such as -0 at its end";
    check_reasons(
        &filtered("semver", "~1.2", "regexp:1", &["*-dev"]),
        &[
            ("2.0", "1.2", "tag 2.0 is not allowed by allowTags regexp:1"),
            ("1-dev", "1.2", "tag 1-dev is ignored by ignoreTags *-dev"),
            ("1.3", "1.2", "tag 1.3 does not satisfy the constraint ~1.2"),
            ("1.2_b", "1.2", "tag 1.2_b is no version"),
            ("1.2.5-rc1", "1.2", pre_release),
        ],
    );
    let not_satisfied = "tag 1.1.0-rc1 does not satisfy the constraint >=1.2-0";
    check_reasons(
        &policy("semver", ">=1.2-0"),
        &[("1.1.0-rc1", "1.2", not_satisfied)],
    );
    check_reasons(&policy("newest-build", ""), &[(&signature, "", &no_image)]);
    check_reasons(
        &policy("digest", "stable"),
        &[("1@b", "", "tag 1 is not stable, the tag to follow")],
    );
}

#[test]
fn a_tag_that_stays_is_named() {
    let lowered = "tag 1.2.1 is not higher than 1.9, which is in use; tag 1.9 does not satisfy the constraint ~1.2, but an event alone never goes back: that takes a list of the registry's tags, or a change by hand";
    check_reasons(
        &policy("semver", "~1.2"),
        &[
            ("1.2.1", "1.2.1", "tag 1.2.1 is in use already"),
            (
                "v1.2",
                "1.2",
                "tag v1.2 is not higher than 1.2, which is in use",
            ),
            (
                "1.2",
                "1.2.2",
                "tag 1.2 is not higher than 1.2.2, which is in use",
            ),
            ("1.2.1", "1.9", lowered),
        ],
    );
    let ignored = "tag a is not higher than b, which is in use; tag b is ignored by ignoreTags b, but an event alone never goes back: that takes a list of the registry's tags, or a change by hand";
    check_reasons(
        &filtered("alphabetical", "", "", &["b"]),
        &[("a", "b", ignored)],
    );
}

#[test]
fn a_reason_does_not_grow_with_the_batch() {
    let policy = policy("semver", "~1.2");
    assert_eq!(
        verdict(&policy, &["a", "b"], &[]),
        "unchanged: tag a is no version; tag b is no version"
    );
    assert_eq!(
        verdict(&policy, &["a", "b", "c", "d", "e"], &[]),
        "unchanged: tag a is no version; tag b is no version; tag c is no version; and 2 more"
    );
    assert_eq!(verdict(&policy, &[], &[]), "unchanged: nothing was pushed");
}

fn tag_text() -> impl proptest::strategy::Strategy<Value = String> {
    prop_oneof!["v?[0-2](\\.[0-2]){0,2}(-[a0])?", "[a-c][a-c.-]{0,2}"]
}

fn any_pushed() -> impl proptest::strategy::Strategy<Value = Vec<Pushed>> {
    let one = (tag_text(), prop::option::of("[a-c]")).prop_map(|(tag, fill)| Pushed {
        tag: Tag::parse(&tag).unwrap(),
        digest: fill.and_then(|fill| fill.chars().next()).map(fake_digest),
    });
    prop::collection::vec(one, 0..5)
}

fn any_current() -> impl proptest::strategy::Strategy<Value = Vec<Current>> {
    let tag = prop::option::of(prop_oneof![9 => tag_text(), 1 => "\\PC*".boxed()]);
    let one = (tag, prop::option::of("[a-c]")).prop_map(|(tag, fill)| Current {
        tag,
        digest: fill.and_then(|fill| fill.chars().next()).map(fake_digest),
    });
    prop::collection::vec(one, 0..4)
}

fn any_policy() -> impl proptest::strategy::Strategy<Value = Policy> {
    let strategy = prop::sample::select(vec!["semver", "newest-build", "alphabetical", "digest"]);
    let constraint = prop::sample::select(vec!["1", "1.1", "2.0-0", "0"]);
    let allow = prop::sample::select(vec!["", "any", "regexp:^v?[12]", "nonsense"]);
    let ignore = prop::sample::select(vec!["", "*-*", "[", "?"]);
    (strategy, constraint, allow, ignore).prop_map(|(strategy, constraint, allow, ignore)| {
        filtered(strategy, constraint, allow, &[ignore])
    })
}

proptest! {
    #[test]
    fn what_is_chosen_was_pushed_and_is_not_excluded(
        policy in any_policy(), pushed in any_pushed(), current in any_current()
    ) {
        if let Choice::Change(new) = policy.choose(&pushed, &current) {
            prop_assert!(pushed.iter().any(|push| push.tag == new.tag));
            prop_assert_eq!(policy.filter.exclusion(new.tag.as_str()), None);
            match &policy.rule {
                Rule::Semver(constraint) => {
                    prop_assert!(constraint.matches(&Version::parse(new.tag.as_str()).unwrap()));
                }
                Rule::Digest(followed) => prop_assert_eq!(followed, &new.tag),
                Rule::NewestBuild | Rule::Alphabetical => {}
            }
            let pins = matches!(policy.rule, Rule::Digest(_));
            prop_assert_eq!(new.digest.is_some(), pins);
            let known = pushed.iter().any(|push| push.tag == new.tag && push.digest == new.digest);
            prop_assert!(!pins || known);
        }
    }

    #[test]
    fn nothing_that_is_in_use_is_lowered(
        policy in any_policy(), pushed in any_pushed(), current in any_current()
    ) {
        if let Choice::Change(new) = policy.choose(&pushed, &current) {
            let compares = matches!(policy.rule, Rule::Semver(_) | Rule::Alphabetical);
            prop_assert!(!compares || current.iter().all(|place| untagged(place, &current).is_none()));
            for tag in current.iter().filter_map(|place| place.tag.as_deref()) {
                match &policy.rule {
                    Rule::Semver(_) => {
                        let new = Version::parse(new.tag.as_str()).unwrap();
                        prop_assert!(Version::parse(tag).is_none_or(|old| new.precedence(&old).is_gt()));
                    }
                    Rule::Alphabetical => {
                        prop_assert!(Tag::parse(tag).ok().is_none_or(|old| new.tag > old));
                    }
                    Rule::NewestBuild | Rule::Digest(_) => {}
                }
            }
        }
    }

    #[test]
    fn what_was_chosen_is_not_chosen_again(
        policy in any_policy(), pushed in any_pushed(), current in any_current()
    ) {
        if let Choice::Change(new) = policy.choose(&pushed, &current) {
            let places = vec![
                Current { tag: Some(new.tag.to_string()), digest: new.digest };
                current.len().max(1)
            ];
            prop_assert!(matches!(policy.choose(&pushed, &places), Choice::Unchanged(_)));
        }
    }

    #[test]
    fn the_order_of_pushes_counts_only_for_builds(
        policy in any_policy(), pushed in any_pushed(), current in any_current()
    ) {
        if matches!(policy.rule, Rule::Semver(_) | Rule::Alphabetical) {
            let backwards: Vec<_> = pushed.iter().rev().cloned().collect();
            match (policy.choose(&pushed, &current), policy.choose(&backwards, &current)) {
                (Choice::Change(one), Choice::Change(other)) => prop_assert_eq!(one, other),
                (Choice::Unchanged(_), Choice::Unchanged(_))
                | (Choice::Undecided(_), Choice::Undecided(_)) => {}
                (one, other) => prop_assert!(false, "{:?} and {:?}", one, other),
            }
        }
    }
}
