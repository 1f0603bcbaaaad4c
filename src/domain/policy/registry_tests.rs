//! Tests of policies that ask a registry: what is there, what is in use, the verdict, and what was asked for it.

use std::collections::BTreeMap;

use super::*;
use crate::domain::policy::circumstances::Circumstances;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::testing::Shelf;
use crate::domain::testing::digest;
use crate::domain::testing::shelf;

fn policy(strategy: &str, constraint: &str) -> Policy {
    with_rules(PolicyRules {
        strategy: Some(strategy),
        constraint: Some(constraint),
        ..PolicyRules::default()
    })
}

fn with_rules(rules: PolicyRules<'_>) -> Policy {
    Policy::parse(&rules).unwrap().0
}

fn for_arm(strategy: &str, constraint: &str) -> Policy {
    with_rules(PolicyRules {
        strategy: Some(strategy),
        constraint: Some(constraint),
        platforms: &["linux/arm64".to_owned()],
        ..PolicyRules::default()
    })
}

fn ignoring(strategy: &str, pattern: &str) -> Policy {
    with_rules(PolicyRules {
        strategy: Some(strategy),
        ignore_tags: &[pattern.to_owned()],
        ..PolicyRules::default()
    })
}

/// A tag, or a tag and what its digest is filled with: `1.2@a`.
fn split(text: &str) -> (Option<String>, Option<Digest>) {
    let (tag, fill) = match text.split_once('@') {
        Some((tag, fill)) => (tag, fill.chars().next()),
        None => (text, None),
    };
    let digest = fill.map(|fill| Digest::parse(&digest(fill)).unwrap());
    ((!tag.is_empty()).then(|| tag.to_owned()), digest)
}

/// One decision.
struct Case<'a> {
    policy: Policy,
    /// What was pushed; `None` where the registry is looked at.
    pushed: Option<&'a [&'a str]>,
    in_use: &'a [&'a str],
    never_downgrade: bool,
    is_last_try: bool,
}

impl Case<'_> {
    /// The verdict as text, and what it takes to reach it.
    #[track_caller]
    fn check(&self, shelf: &Shelf, expected: &str, asked: &[&str]) {
        let current: Vec<_> = self
            .in_use
            .iter()
            .map(|text| split(text))
            .map(|(tag, digest)| Current { tag, digest })
            .collect();
        let circumstances = Circumstances {
            current: &current,
            never_downgrade: self.never_downgrade,
            is_last_try: self.is_last_try,
        };
        let pushed: Option<Vec<_>> = self.pushed.map(|texts| {
            let one = |(tag, digest): (Option<String>, _)| Pushed {
                tag: Tag::parse(&tag.unwrap()).unwrap(),
                digest,
            };
            texts.iter().map(|text| one(split(text))).collect()
        });
        let image = ImageName::parse("quay.io/a/b").unwrap();
        let (choice, remark) = shelf.settle(|knowledge| {
            let mut inquiry = Inquiry::new(Access::plain(image.clone()), knowledge);
            let choice = match &pushed {
                Some(pushed) => self.policy.confirm(pushed, circumstances, &mut inquiry),
                None => self.policy.look(circumstances, &mut inquiry),
            };
            let ended = inquiry.end();
            assert_eq!(choice == Choice::Open, !ended.open.is_empty(), "{choice:?}");
            let open = (!ended.open.is_empty()).then_some((ended.access, ended.open));
            (
                (choice, ended.remark),
                open.into_iter().collect::<BTreeMap<_, _>>(),
            )
        });
        let verdict = match choice {
            Choice::Change(NewVersion { tag, digest: None }) => tag.to_string(),
            Choice::Change(NewVersion {
                tag,
                digest: Some(digest),
            }) => {
                format!("{tag}@{}", &digest.as_str()[7..8])
            }
            Choice::Unchanged(reason) => format!("unchanged: {reason}"),
            Choice::Undecided(reason) => format!("undecided: {reason}"),
            Choice::Failed(failure) => {
                let kind = if failure.is_passing {
                    "unanswered"
                } else {
                    "failed"
                };
                format!("{kind}: {}", failure.reason)
            }
            Choice::Open => panic!("open"),
        };
        let shown = format!("{verdict} ({})", remark.unwrap_or_default());
        let is_expected = expected.split(" … ").all(|part| shown.contains(part));
        assert!(is_expected, "{shown}, where {expected} was expected");
        assert_eq!(*shelf.asked.borrow(), asked, "{shown}");
    }
}

fn push<'a>(policy: Policy, pushed: &'a [&'a str], in_use: &'a [&'a str]) -> Case<'a> {
    Case {
        policy,
        pushed: Some(pushed),
        in_use,
        never_downgrade: false,
        is_last_try: false,
    }
}

fn look<'a>(policy: Policy, in_use: &'a [&'a str]) -> Case<'a> {
    Case {
        policy,
        pushed: None,
        in_use,
        never_downgrade: false,
        is_last_try: false,
    }
}

#[test]
fn what_the_policy_does_not_choose_is_asked_of_nobody() {
    for (policy, pushed, in_use) in [
        (policy("semver", "1.x"), "2.0", "1.2"),
        (policy("semver", "1.x"), "1.1", "1.2"),
        (policy("semver", "1.x"), "latest", "1.2"),
        (policy("alphabetical", ""), "a", "b"),
        (policy("digest", "latest"), "1.2", "latest"),
        (ignoring("newest-build", "x*"), "x1", "y"),
    ] {
        push(policy, &[pushed], &[in_use]).check(&shelf(&[]), "unchanged", &[]);
    }
}

#[test]
fn one_request_confirms_a_tag() {
    let there = ["1.3@b"];
    push(policy("semver", "1.x"), &["1.3@b"], &["1.2"]).check(
        &shelf(&there),
        "1.3 ()",
        &["digest 1.3"],
    );
    push(policy("alphabetical", ""), &["1.3"], &["1.2"]).check(
        &shelf(&there),
        "1.3 ()",
        &["digest 1.3"],
    );
    push(policy("digest", "1.3"), &["1.3"], &["1.3@a"]).check(
        &shelf(&there),
        "1.3@b ()",
        &["digest 1.3"],
    );
    push(policy("digest", "1.3"), &["1.3@b"], &["1.3@b"]).check(
        &shelf(&there),
        "unchanged",
        &["digest 1.3"],
    );
    for_arm_only(&["1.3@b/linux/arm64"], "1.3 ()");
    for_arm_only(&["1.3@b"], "unchanged: tag 1.3 is not for linux/arm64");
}

#[track_caller]
fn for_arm_only(there: &[&'static str], expected: &str) {
    let pushed = ["1.3@b"];
    push(for_arm("semver", "1.x"), &pushed, &["1.2"]).check(
        &shelf(there),
        expected,
        &["build 1.3"],
    );
}

#[test]
fn the_registrys_digest_counts() {
    let there = ["1.3@c"];
    let moved = "the registry has sha256:cccc … where the event announced sha256:bbbb";
    push(policy("semver", "1.x"), &["1.3@b"], &["1.2"]).check(
        &shelf(&there),
        moved,
        &["digest 1.3"],
    );
    let case = push(policy("digest", "1.3"), &["1.3@b"], &["1.3@a"]);
    case.check(
        &shelf(&there),
        "1.3@c … where the event announced",
        &["digest 1.3"],
    );
}

#[test]
fn a_tag_that_is_not_shown_yet_is_asked_for_again_and_at_last_left_out() {
    let rule = || policy("semver", "1.x");
    let case = push(rule(), &["1.3", "1.4"], &["1.2"]);
    case.check(
        &shelf(&["1.3@b"]),
        "unanswered: the registry does not show tag 1.4 yet",
        &["digest 1.4"],
    );
    let last = Case {
        is_last_try: true,
        ..push(rule(), &["1.3", "1.4"], &["1.2"])
    };
    last.check(&shelf(&["1.3@b"]), "1.3 ()", &["digest 1.4", "digest 1.3"]);
    let last = Case {
        is_last_try: true,
        ..push(rule(), &["1.4"], &["1.2"])
    };
    last.check(
        &shelf(&[]),
        "unchanged: the registry does not have tag 1.4",
        &["digest 1.4"],
    );
    let followed = || push(policy("digest", "1.3"), &["1.3@b"], &["1.3@a"]);
    followed().check(&shelf(&[]), "unanswered", &["digest 1.3"]);
    followed().check(
        &shelf(&["1.3@a"]),
        "unanswered: the registry does not show the digest that was pushed for tag 1.3 yet",
        &["digest 1.3"],
    );
    let last = Case {
        is_last_try: true,
        ..followed()
    };
    last.check(
        &shelf(&["1.3@a"]),
        "unchanged: digest sha256:aaaa … where the event announced sha256:bbbb",
        &["digest 1.3"],
    );
    let built = push(policy("newest-build", ""), &["b"], &["a"]);
    built.check(&shelf(&["a@a+1"]), "unanswered", &["build b"]);
}

#[test]
fn a_registry_that_does_not_answer_changes_nothing() {
    let silent = |there: &[&'static str], about| Shelf {
        silent_about: Some(about),
        ..shelf(there)
    };
    let one = push(policy("semver", "1.x"), &["1.3"], &["1.2"]);
    one.check(
        &silent(&["1.3"], "1.3"),
        "unanswered: registry quay.io",
        &["digest 1.3"],
    );
    let built = push(policy("newest-build", ""), &["b"], &["a"]);
    built.check(
        &silent(&["a@a+5", "b@b+9"], "a"),
        "unanswered",
        &["build b", "build a"],
    );
    // One tag whose date is not known may be the newest.
    let listed = look(policy("newest-build", ""), &["c"]);
    let there = ["a@a+1", "b@b+2", "c@c+3"];
    listed.check(
        &silent(&there, "c"),
        "unanswered",
        &["tags", "build a", "build b", "build c"],
    );
}

#[test]
fn only_what_was_built_later_is_newer() {
    let rule = || policy("newest-build", "");
    let there = ["old@a+5", "new@b+9", "again@a+5", "copy@c+5", "undated@d"];
    for (pushed, in_use, expected) in [
        (vec!["new"], "old", "new ()"),
        (
            vec!["old"],
            "new",
            "unchanged: new, which is in use, was built later than tag old",
        ),
        (
            vec!["again"],
            "old",
            "unchanged: old, which is in use, is the same build as tag again",
        ),
        (
            vec!["copy"],
            "old",
            "unchanged: old, which is in use, says that it was built at the same time",
        ),
        (
            vec!["undated"],
            "old",
            "unchanged: old, which is in use, cannot be compared with tag undated",
        ),
        (vec!["new"], "undated", "new ()"),
        // What the registry no longer has is older than everything.
        (vec!["old"], "gone", "old ()"),
        (vec!["new", "old"], "copy", "new ()"),
    ] {
        let in_use = [in_use];
        let case = push(rule(), &pushed, &in_use);
        let shelf = shelf(&there);
        let asked: Vec<String> = {
            let mut tags = pushed.clone();
            tags.sort_unstable();
            tags.iter()
                .chain(&in_use)
                .map(|tag| format!("build {tag}"))
                .collect()
        };
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        case.check(&shelf, expected, &asked);
    }
    push(rule(), &["new"], &["new"]).check(
        &shelf(&there),
        "unchanged: tag new is in use already",
        &["build new"],
    );
    push(rule(), &["new@b"], &[""]).check(&shelf(&there), "new ()", &["build new"]);
}

#[test]
fn a_tag_that_is_pushed_again_is_compared_with_the_build_that_is_pinned() {
    let rule = || policy("newest-build", "");
    let there = ["dev@b+9", "was@a+5", "later@c+11"];
    push(rule(), &["dev"], &["dev@b"]).check(&shelf(&there), "unchanged", &["build dev"]);
    let pinned = format!("build {}", digest('a'));
    push(rule(), &["dev"], &["dev@a"]).check(&shelf(&there), "dev ()", &["build dev", &pinned]);
    let pinned = format!("build {}", digest('c'));
    push(rule(), &["dev"], &["dev@c"]).check(&shelf(&there), "unchanged", &["build dev", &pinned]);
}

#[test]
fn an_event_goes_back_by_the_list_alone() {
    let there = ["1.1@a", "1.2@b", "2.0@c"];
    // 2.0 is excluded by now; the list says that 1.2 is what is wanted, not the 1.1 that was pushed.
    let case = push(policy("semver", "1.x"), &["1.1"], &["2.0"]);
    case.check(
        &shelf(&there),
        "1.2 … instead of 2.0: tag 2.0 does not satisfy",
        &["tags"],
    );
    let digest_alone = push(policy("semver", "1.x"), &["1.2"], &["@c"]);
    digest_alone.check(&shelf(&there), "1.2 ()", &["tags"]);
    let built = ["x1@a+9", "y@b+5", "z@c+3"];
    let case = push(ignoring("newest-build", "x*"), &["z"], &["x1"]);
    case.check(
        &shelf(&built),
        "y … instead of x1",
        &[
            "build z", "build x1", "tags", "build y", "build z", "build y",
        ],
    );
}

#[test]
fn a_list_that_lacks_what_was_pushed_hides_it_not() {
    let lagging = |there: &[&'static str], listed: &[&'static str]| Shelf {
        listed: Some(listed.to_vec()),
        ..shelf(there)
    };
    let excluded = push(policy("semver", "1.x"), &["1.3"], &["2.0"]);
    excluded.check(
        &lagging(&["1.1", "1.2", "1.3", "2.0"], &["1.1", "1.2", "2.0"]),
        "1.3 … instead of 2.0",
        &["tags", "digest 1.3"],
    );
    let not_there = push(policy("semver", "1.x"), &["1.3"], &["2.0"]);
    not_there.check(
        &shelf(&["1.1", "1.2", "2.0"]),
        "unanswered: the registry does not show tag 1.3 yet",
        &["tags", "digest 1.3"],
    );
    let never = Case {
        is_last_try: true,
        ..push(policy("semver", "1.x"), &["1.3"], &["2.0"])
    };
    never.check(
        &shelf(&["1.1", "1.2", "2.0"]),
        "1.2 … instead of 2.0",
        &["tags", "digest 1.3"],
    );
    let built = push(ignoring("newest-build", "x*"), &["z"], &["x1"]);
    built.check(
        &lagging(&["x1@a+9", "y@b+3", "z@c+5"], &["x1", "y"]),
        "z … instead of x1",
        &[
            "build z", "build x1", "tags", "digest z", "build y", "build z", "build y",
        ],
    );
}

#[test]
fn the_list_gives_the_highest() {
    let there = ["1.1", "1.2", "2.0", "latest", "1.3-rc1"];
    let tags = ["tags"];
    for (in_use, expected) in [
        (vec!["1.1"], "1.2 ()"),
        (vec!["1.2"], "unchanged: tag 1.2 is in use already"),
        // The spec says it, and only what is live is behind.
        (vec!["1.2", "1.1"], "unchanged"),
        (vec!["latest"], "1.2 ()"),
        (vec!["@b"], "1.2 ()"),
        (vec![], "1.2 ()"),
        (vec!["2.0"], "1.2 … instead of 2.0"),
        (
            vec!["1.3-rc1"],
            "1.2 … instead of 1.3-rc1: tag 1.3-rc1 is a pre-release",
        ),
    ] {
        look(policy("semver", "1.x"), &in_use).check(&shelf(&there), expected, &tags);
    }
    look(policy("alphabetical", ""), &["1.2"]).check(&shelf(&there), "latest ()", &tags);
    look(policy("semver", "3.x"), &["1.2"]).check(
        &shelf(&there),
        "unchanged: none of the 5 tags",
        &tags,
    );
    look(policy("semver", ""), &["1.2"]).check(
        &shelf(&[]),
        "unchanged: the registry lists no tag",
        &tags,
    );
}

#[test]
fn a_list_that_lags_lowers_nothing() {
    let lagging = |there: &[&'static str], listed: &[&'static str]| Shelf {
        listed: Some(listed.to_vec()),
        ..shelf(there)
    };
    let rule = || policy("semver", "1.x");
    let shelf = lagging(&["1.1", "1.2"], &["1.1"]);
    look(rule(), &["1.2"]).check(
        &shelf,
        "unchanged: no tag is newer than 1.2",
        &["tags", "digest 1.2"],
    );
    let gone = lagging(&["1.1"], &["1.1"]);
    look(rule(), &["1.2"]).check(
        &gone,
        "1.1 … no longer has tag 1.2",
        &["tags", "digest 1.2"],
    );
    let gone = lagging(&["1.1"], &["1.1"]);
    let kept = Case {
        never_downgrade: true,
        ..look(rule(), &["1.2"])
    };
    kept.check(
        &gone,
        "unchanged: the registry no longer has tag 1.2 … --never-downgrade",
        &["tags", "digest 1.2"],
    );
    let excluded = lagging(&["1.1", "2.0"], &["1.1", "2.0"]);
    let kept = Case {
        never_downgrade: true,
        ..look(rule(), &["2.0"])
    };
    kept.check(
        &excluded,
        "unchanged: tag 2.0 does not satisfy … --never-downgrade",
        &["tags"],
    );
    let silent = Shelf {
        silent_about: Some("1.2"),
        ..lagging(&["1.1"], &["1.1"])
    };
    look(rule(), &["1.2"]).check(&silent, "unanswered", &["tags", "digest 1.2"]);
    // Every version in use counts, not the highest alone, which is excluded.
    let lags = lagging(&["1.8", "1.9", "2.0"], &["1.8", "2.0"]);
    look(rule(), &["2.0", "1.9"]).check(
        &lags,
        "unchanged: no tag is newer than 1.9",
        &["tags", "digest 1.9"],
    );
    // Newest-build: what is in use is not listed and was built later.
    let shelf = lagging(&["a@a+1", "b@b+2"], &["a"]);
    let built = look(policy("newest-build", ""), &["b"]);
    built.check(
        &shelf,
        "unchanged: b, which is in use, was built later",
        &["tags", "build a", "build a", "build b"],
    );
}

#[test]
fn another_spelling_of_the_version_in_use_is_no_newer_one() {
    let case = look(policy("semver", ""), &["1.0"]);
    case.check(&shelf(&["1.0", "v1.0"]), "unchanged", &["tags"]);
    let case = look(policy("semver", ""), &["1.0"]);
    case.check(
        &shelf(&["v1.0"]),
        "v1.0 … no longer has tag 1.0",
        &["tags", "digest 1.0"],
    );
}

#[test]
fn the_highest_that_is_for_the_platform_counts() {
    let there = ["1.1@a/linux/arm64", "1.2@b/linux/arm64", "1.3@c"];
    let asked = ["tags", "build 1.3", "build 1.2"];
    look(for_arm("semver", "1.x"), &["1.1"]).check(&shelf(&there), "1.2 ()", &asked);
    look(for_arm("semver", "1.x"), &["1.2"]).check(&shelf(&there), "unchanged", &asked);
    // The one in use is not for the platform: the policy excludes it.
    look(for_arm("semver", "1.x"), &["1.3"]).check(
        &shelf(&there),
        "1.2 … instead of 1.3: tag 1.3 is not for",
        &["tags", "build 1.3", "build 1.2", "build 1.3"],
    );
    let built = ["a@a+1/linux/arm64", "b@b+2"];
    let asked = ["tags", "build a", "build b", "build a"];
    look(for_arm("newest-build", ""), &["0"]).check(
        &shelf(&built),
        "a ()",
        &[&asked[..], &["build 0"]].concat(),
    );
    look(for_arm("newest-build", ""), &["a"]).check(&shelf(&built), "unchanged", &asked);
}

#[test]
fn the_newest_build_of_a_list() {
    let rule = || policy("newest-build", "");
    let there = ["c@a+1", "b@b+9", "a@c+5"];
    let asked = [
        "tags", "build a", "build b", "build c", "build a", "build b", "build c",
    ];
    look(rule(), &["a"]).check(&shelf(&there), "b ()", &asked);
    look(rule(), &["b"]).check(&shelf(&there), "unchanged", &asked);
    let with_gone = [&asked[..], &["build gone"]].concat();
    look(rule(), &["gone"]).check(&shelf(&there), "b ()", &with_gone);
    // Of one date the last in the order of names.
    look(rule(), &[]).check(
        &shelf(&["x@a+5", "y@b+5"]),
        "y ()",
        &["tags", "build x", "build y", "build x", "build y"],
    );
}

#[test]
fn the_newest_of_a_list_are_asked_for_again() {
    let rule = || policy("newest-build", "");
    let learned = |now: &[&'static str], learned: &[&'static str]| Shelf {
        learned: shelf(learned).builds,
        ..shelf(now)
    };
    let asked = ["tags", "build a", "build b", "build a", "build b"];
    // It was set anew, to a newer build.
    let moved = learned(&["a@a+1", "b@c+9"], &["a@a+5", "b@b+4"]);
    look(rule(), &["a"]).check(&moved, "b ()", &asked);
    // It was set back, to an older one.
    let back = learned(&["a@a+5", "b@c+1"], &["b@b+9"]);
    look(rule(), &["0"]).check(&back, "a ()", &[&asked[..], &["build 0"]].concat());
    let back = learned(&["a@a+5", "b@c+1"], &["b@b+9"]);
    look(rule(), &["a"]).check(&back, "unchanged: tag a is in use already", &asked);
    // The one that was the newest is gone, or is for another platform.
    let gone = Shelf {
        listed: Some(vec!["a", "b"]),
        ..learned(&["a@a+5"], &["b@b+9"])
    };
    look(rule(), &["0"]).check(&gone, "a ()", &[&asked[..], &["build 0"]].concat());
    let other = learned(&["a@a+5/linux/arm64", "b@b+9"], &["b@b+9/linux/arm64"]);
    look(for_arm("newest-build", ""), &[]).check(&other, "a ()", &asked);
}

/// Five at first, and as many more as it takes until the newest is one of those that were asked.
#[test]
fn of_a_long_list_only_the_newest_are_asked_for_again() {
    let rule = || policy("newest-build", "");
    let there = [
        "a@a+1", "b@b+2", "c@c+3", "d@d+4", "e@e+5", "f@f+6", "0@0+7",
    ];
    let once = [
        "tags", "build 0", "build a", "build b", "build c", "build d", "build e", "build f",
    ];
    let five = ["build 0", "build c", "build d", "build e", "build f"];
    let asked = [&once[..], &five].concat();
    look(rule(), &["0"]).check(&shelf(&there), "unchanged", &asked);
    // Older ones that were set anew are found when what was learned of them is forgotten.
    let moved = Shelf {
        learned: shelf(&["a@9+1"]).builds,
        ..shelf(&[
            "a@a+9", "b@b+2", "c@c+3", "d@d+4", "e@e+5", "f@f+6", "0@0+7",
        ])
    };
    look(rule(), &["0"]).check(&moved, "unchanged", &asked);
    // All five are older by now than what was learned of the others.
    let back = Shelf {
        learned: shelf(&there).builds,
        ..shelf(&[
            "a@a+1", "b@b+2", "c@9+1", "d@9+1", "e@9+1", "f@9+1", "0@9+1",
        ])
    };
    let asked = [&asked[..], &["build a", "build b"]].concat();
    look(rule(), &[]).check(&back, "b ()", &asked);
}

#[test]
fn an_order_that_says_the_age_takes_no_dates() {
    let sorted = |listed: &[&'static str], order| Shelf {
        order,
        ..shelf(listed)
    };
    let rule = || policy("newest-build", "");
    let first = || sorted(&["new", "mid", "old"], TagOrder::LatestFirst);
    look(rule(), &["mid"]).check(&first(), "new ()", &["tags"]);
    look(rule(), &["new"]).check(&first(), "unchanged", &["tags"]);
    let last = sorted(&["old", "mid", "new"], TagOrder::LatestLast);
    look(rule(), &["mid"]).check(&last, "new ()", &["tags"]);
    // What is not listed may be newer.
    look(rule(), &["gone"]).check(
        &first(),
        "new … no longer has tag gone",
        &["tags", "digest gone"],
    );
    let lagging = Shelf {
        listed: Some(vec!["mid", "old"]),
        ..first()
    };
    look(rule(), &["new"]).check(&lagging, "unchanged", &["tags", "digest new"]);
    look(ignoring("newest-build", "new"), &["new"]).check(
        &first(),
        "mid … instead of new",
        &["tags"],
    );
}

#[test]
fn a_followed_tag_takes_no_list() {
    let rule = || policy("digest", "latest");
    look(rule(), &["latest@a"]).check(&shelf(&["latest@b"]), "latest@b ()", &["digest latest"]);
    look(rule(), &["latest@b"]).check(&shelf(&["latest@b"]), "unchanged", &["digest latest"]);
    look(rule(), &["latest"]).check(&shelf(&["latest@b"]), "latest@b ()", &["digest latest"]);
    look(rule(), &["latest@b"]).check(
        &shelf(&[]),
        "undecided: the registry does not have tag latest",
        &["digest latest"],
    );
    let arm = look(for_arm("digest", "latest"), &["latest@a"]);
    arm.check(
        &shelf(&["latest@b"]),
        "undecided: tag latest is not for linux/arm64",
        &["build latest"],
    );
}

#[test]
fn a_tag_to_follow_that_is_ignored_is_not_followed() {
    let policy = with_rules(PolicyRules {
        strategy: Some("digest"),
        constraint: Some("latest"),
        ignore_tags: &["latest".to_owned()],
        ..PolicyRules::default()
    });
    look(policy, &["latest@a"]).check(
        &shelf(&["latest@b"]),
        "unchanged: tag latest is ignored by ignoreTags latest",
        &[],
    );
}
