//! What the status of an ImageUpdater should say.

use std::time::SystemTime;

use crate::domain::resources::image_updater_status::Condition;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::status::conditions;
use crate::domain::status::conditions::Statement;
use crate::domain::status::run::Failure;
use crate::domain::status::run::Run;
use crate::domain::tracking::assessment::Assessment;

/// What the status of an ImageUpdater should say in the place of what it says; nothing where that is as it should be.
///
/// It is about all that the ImageUpdater tracks, and of what was done only about what was written: a run that changed nothing leaves what an
/// earlier one changed. `failures` are what could not be written and still cannot, `run` is what was done since the status was written.
#[must_use]
pub fn reckon(
    before: &ImageUpdaterStatus,
    assessment: &Assessment,
    failures: &[Failure],
    run: Option<&Run>,
    now: SystemTime,
) -> Option<ImageUpdaterStatus> {
    let mut status = before.clone();
    status.observed_generation = assessment.generation;
    status.applications_matched = Some(assessment.tally.applications);
    status.images_managed = Some(assessment.tally.images);
    let updated = run.map_or(0, |run| run.changes.len());
    if let Some(run) = run.filter(|run| !run.changes.is_empty()) {
        status.recent_updates = run.updates();
        status.last_updated_at = Some(run.at);
    }
    for statement in statements(before, assessment, failures, updated) {
        status.set_condition(Condition {
            kind: statement.kind.to_owned(),
            status: statement.status,
            reason: statement.reason.to_owned(),
            message: statement.message,
            last_transition: now,
            observed_generation: assessment.generation,
        });
    }
    if status == *before && !run.is_some_and(|run| run.is_check) {
        return None;
    }
    status.last_checked_at = Some(now);
    Some(status)
}

fn statements(
    before: &ImageUpdaterStatus,
    assessment: &Assessment,
    failures: &[Failure],
    updated: usize,
) -> Vec<Statement> {
    let mut ready = conditions::ready(assessment, failures, updated);
    if updated == 0 {
        keep_count(
            before,
            &mut ready,
            &conditions::reconciled(assessment, failures),
        );
    }
    let mut statements = vec![
        conditions::reconciling(),
        conditions::error(assessment, failures),
        ready,
    ];
    let overlapped = before.condition(conditions::OVERLAPPING).is_some();
    if overlapped || !assessment.tally.decided_by.is_empty() {
        statements.push(conditions::overlapping(assessment));
    }
    statements
}

/// How many images the last run changed stays in the text for as long as nothing else in it is another.
fn keep_count(before: &ImageUpdaterStatus, ready: &mut Statement, reconciled: &str) {
    let condition = before.condition(conditions::READY);
    if let Some(condition) = condition
        && condition.reason == ready.reason
        && condition.message.starts_with(reconciled)
        && ready.message.starts_with(reconciled)
    {
        ready.message.clone_from(&condition.message);
    }
}

#[cfg(test)]
mod tests;
