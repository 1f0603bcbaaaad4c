use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::domain::change::ImageChange;
use crate::domain::resources::image_updater_status::ConditionStatus;
use crate::domain::testing::id;
use crate::domain::tracking::tally::Tally;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn assessment() -> Assessment {
    Assessment {
        generation: Some(1),
        tally: Tally {
            applications: 10,
            images: 12,
            ..Tally::default()
        },
        ..Assessment::default()
    }
}

fn run(seconds: u64, applications: &[&str]) -> Run {
    let change = ImageChange {
        updater: id("u"),
        alias: "web".to_owned(),
        image: "acme/web".to_owned(),
        old: "1".to_owned(),
        new: "2".to_owned(),
        remark: None,
    };
    let changes = applications.iter().map(|name| (id(name), change.clone()));
    Run {
        at: at(seconds),
        changes: changes.collect(),
        is_check: false,
    }
}

fn failure() -> Failure {
    Failure {
        application: id("shop"),
        reason: "forbidden".to_owned(),
    }
}

/// What it says of one that nothing was known of.
fn first(assessment: &Assessment) -> ImageUpdaterStatus {
    reckon(&ImageUpdaterStatus::default(), assessment, &[], None, at(1)).unwrap()
}

/// Status, reason and message of a condition.
fn said<'s>(status: &'s ImageUpdaterStatus, kind: &str) -> (ConditionStatus, &'s str, &'s str) {
    let condition = status.condition(kind).unwrap();
    (condition.status, &condition.reason, &condition.message)
}

#[test]
fn one_that_is_new_is_told_all_there_is_to_say() {
    let status = first(&assessment());
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.applications_matched, Some(10));
    assert_eq!(status.images_managed, Some(12));
    assert_eq!(status.last_checked_at, Some(at(1)));
    assert_eq!(status.last_updated_at, None);
    assert_eq!(status.conditions.len(), 3);
    let (yes, no) = (ConditionStatus::True, ConditionStatus::False);
    let ready = "Reconciled 10 applications, 0 images updated.";
    assert_eq!(said(&status, "Ready"), (yes, "ReconcileSucceeded", ready));
    let error = "No errors during last reconciliation.";
    assert_eq!(said(&status, "Error"), (no, "NoErrors", error));
    assert_eq!(said(&status, "Reconciling").0, no);
    let generations = status.conditions.iter();
    assert!(
        generations
            .map(|one| one.observed_generation)
            .all(|one| one == Some(1))
    );
}

#[test]
fn nothing_is_said_where_nothing_differs() {
    let status = first(&assessment());
    assert_eq!(reckon(&status, &assessment(), &[], None, at(2)), None);
    let updated = reckon(&status, &assessment(), &[], Some(&run(3, &["a"])), at(4)).unwrap();
    assert_eq!(reckon(&updated, &assessment(), &[], None, at(5)), None);
    // A run that changed nothing leaves what an earlier one changed.
    assert_eq!(
        reckon(&updated, &assessment(), &[], Some(&run(6, &[])), at(6)),
        None
    );
}

#[test]
fn a_run_is_told_with_what_it_changed() {
    let before = first(&assessment());
    let status = reckon(
        &before,
        &assessment(),
        &[],
        Some(&run(3, &["a", "b"])),
        at(4),
    )
    .unwrap();
    assert_eq!(status.last_updated_at, Some(at(3)));
    assert_eq!(status.last_checked_at, Some(at(4)));
    assert_eq!(status.recent_updates.len(), 1);
    assert_eq!(status.recent_updates[0].applications_updated, 2);
    let ready = status.condition("Ready").unwrap();
    assert_eq!(
        ready.message,
        "Reconciled 10 applications, 2 images updated."
    );
    assert_eq!(ready.last_transition, at(1));
    // The counts are those of all that it matches.
    assert_eq!(status.applications_matched, Some(10));
}

#[test]
fn what_changes_in_the_object_is_told() {
    let before = first(&assessment());
    let mut now = assessment();
    now.generation = Some(2);
    now.tally.images = 13;
    let status = reckon(&before, &now, &[], None, at(9)).unwrap();
    assert_eq!(status.observed_generation, Some(2));
    assert_eq!(status.images_managed, Some(13));
    assert_eq!(status.conditions[0].observed_generation, Some(2));
    assert_eq!(status.conditions[0].last_transition, at(1));
}

#[test]
fn failures_are_partial_errors_until_they_end() {
    let before = first(&assessment());
    let failed = reckon(
        &before,
        &assessment(),
        &[failure()],
        Some(&run(2, &[])),
        at(2),
    )
    .unwrap();
    let (yes, no) = (ConditionStatus::True, ConditionStatus::False);
    let (status, reason, message) = said(&failed, "Error");
    assert_eq!((status, reason), (yes, "PartialErrors"));
    assert_eq!(
        message,
        "1 error(s) occurred during image update checks. Application argocd/shop: forbidden"
    );
    assert_eq!(failed.condition("Error").unwrap().last_transition, at(2));
    let ready = "Reconciled 10 applications with 1 errors, 0 images updated.";
    assert_eq!(
        said(&failed, "Ready"),
        (yes, "ReconcileCompletedWithErrors", ready)
    );
    assert_eq!(failed.last_updated_at, None);
    assert_eq!(failed.recent_updates, []);
    assert_eq!(
        reckon(&failed, &assessment(), &[failure()], None, at(3)),
        None
    );
    let ended = reckon(&failed, &assessment(), &[], Some(&run(4, &["shop"])), at(4)).unwrap();
    assert_eq!(said(&ended, "Error").0, no);
}

#[test]
fn one_that_takes_nothing_is_not_ready() {
    let broken = Assessment {
        errors: vec!["it takes no Application".to_owned()],
        is_unusable: true,
        ..Assessment::default()
    };
    let status = first(&broken);
    let (yes, no) = (ConditionStatus::True, ConditionStatus::False);
    let error = "it takes no Application";
    assert_eq!(said(&status, "Error"), (yes, "ReconcileError", error));
    let ready = "Reconciliation failed: it takes no Application";
    assert_eq!(said(&status, "Ready"), (no, "ReconcileFailed", ready));
}

#[test]
fn one_that_asks_for_git_is_not_ready_for_a_reason_of_its_own() {
    let mut git = assessment();
    git.asks_for_git = true;
    let status = first(&git);
    let (ready, reason, _) = said(&status, "Ready");
    assert_eq!(
        (ready, reason),
        (ConditionStatus::False, "WriteBackMethodNotSupported")
    );
    assert_eq!(said(&status, "Error").0, ConditionStatus::False);
    let again = reckon(&status, &assessment(), &[], None, at(7)).unwrap();
    assert_eq!(said(&again, "Ready").0, ConditionStatus::True);
    assert_eq!(again.condition("Ready").unwrap().last_transition, at(7));
}

#[test]
fn one_that_another_goes_before_is_told_by_whom_and_when_that_has_ended() {
    let mut younger = assessment();
    younger.tally.decided_by = BTreeMap::from([(id("older"), 3)]);
    let status = first(&younger);
    let (overlaps, _, message) = said(&status, "Overlapping");
    assert_eq!(overlaps, ConditionStatus::True);
    assert!(
        message.contains("ImageUpdater argocd/older (3)"),
        "{message}"
    );
    assert_eq!(said(&status, "Ready").0, ConditionStatus::True);
    let ended = reckon(&status, &assessment(), &[], None, at(2)).unwrap();
    assert_eq!(said(&ended, "Overlapping").0, ConditionStatus::False);
}

#[test]
fn conditions_of_others_and_long_texts() {
    let foreign = Condition {
        kind: "Paused".to_owned(),
        status: ConditionStatus::Unknown,
        reason: "Who".to_owned(),
        message: String::new(),
        last_transition: at(0),
        observed_generation: None,
    };
    let before = ImageUpdaterStatus {
        conditions: vec![foreign.clone()],
        ..ImageUpdaterStatus::default()
    };
    let failures: Vec<_> = (0..1000)
        .map(|_| Failure {
            application: id("shop"),
            reason: "é".repeat(5000),
        })
        .collect();
    let status = reckon(&before, &assessment(), &failures, None, at(1)).unwrap();
    assert_eq!(status.condition("Paused"), Some(&foreign));
    let (_, _, message) = said(&status, "Error");
    assert!(message.starts_with("1000 error(s)") && message.ends_with("and 995 more"));
    assert!(message.len() < 32_768);
}
