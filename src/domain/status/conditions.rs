//! The conditions of an ImageUpdater.
//!
//! Types, reasons and texts are those of the Go program, where it has them. It has none for what
//! is not possible yet, nor for an ImageUpdater that another one goes before.

use crate::domain::resources::image_updater_status::ConditionStatus;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::run::Failure;
use crate::domain::tracking::assessment::Assessment;

/// Whether it does what it asks for.
pub const READY: &str = "Ready";
/// Whether something went wrong.
pub const ERROR: &str = "Error";
/// Whether it is being worked on. Nobody is told of work that takes no time, so this is never true.
pub const RECONCILING: &str = "Reconciling";
/// Whether another ImageUpdater decides about images that it tracks.
pub const OVERLAPPING: &str = "Overlapping";

/// The reason why one is not ready that wants changes to be kept in git.
pub const METHOD_NOT_SUPPORTED: &str = "WriteBackMethodNotSupported";

/// What is said to one that wants changes to be kept in git.
pub const METHOD_MESSAGE: &str = "Write-back method git is not supported yet, so its Applications are left alone where it is asked for. Set \
                                  writeBackConfig.method, or the annotation write-back-method, to argocd to have changes written into them.";

/// The most things that a message names one by one.
const NAMED: usize = 5;
/// The longest text of one of them, in characters.
const LONGEST: usize = 512;

/// What one condition says now, without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The type.
    pub kind: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, for programs.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

fn statement(
    kind: &'static str,
    holds: bool,
    reason: &'static str,
    message: impl Into<String>,
) -> Statement {
    let status = if holds {
        ConditionStatus::True
    } else {
        ConditionStatus::False
    };
    Statement {
        kind,
        status,
        reason,
        message: message.into(),
    }
}

/// It is worked on when something happens, and then at once.
#[must_use]
pub fn reconciling() -> Statement {
    let message = "Last check completed. Awaiting next cycle.";
    statement(RECONCILING, false, "Idle", message)
}

/// Whether something is wrong.
#[must_use]
pub fn error(assessment: &Assessment, failures: &[Failure]) -> Statement {
    if assessment.is_unusable {
        let message = assessment.errors.join("; ");
        return statement(
            ERROR,
            true,
            "ReconcileError",
            cut(&message, NAMED * LONGEST),
        );
    }
    let count = count(assessment, failures);
    if count == 0 {
        let message = "No errors during last reconciliation.";
        return statement(ERROR, false, "NoErrors", message);
    }
    let failed = failures
        .iter()
        .map(|failure| format!("Application {}: {}", failure.application, failure.reason));
    let unwritable = assessment.tally.unwritable;
    let places = (unwritable > 0).then(|| {
        format!("images that run and cannot be written where they do: {unwritable}; the log says of each why")
    });
    let causes = assessment
        .errors
        .iter()
        .cloned()
        .chain(failed)
        .chain(places);
    let message = format!(
        "{count} error(s) occurred during image update checks. {}",
        list(causes)
    );
    statement(ERROR, true, "PartialErrors", message)
}

/// Whether it does what it asks for. `updated` is how many images a run has changed just now.
#[must_use]
pub fn ready(assessment: &Assessment, failures: &[Failure], updated: usize) -> Statement {
    if assessment.is_unusable {
        let error = error(assessment, failures).message;
        let message = format!("Reconciliation failed: {error}");
        return statement(READY, false, "ReconcileFailed", message);
    }
    if assessment.asks_for_git {
        return statement(READY, false, METHOD_NOT_SUPPORTED, METHOD_MESSAGE);
    }
    let reconciled = reconciled(assessment, failures);
    let message = format!("{reconciled} {updated} images updated.");
    let reason = match count(assessment, failures) {
        0 => "ReconcileSucceeded",
        _ => "ReconcileCompletedWithErrors",
    };
    statement(READY, true, reason, message)
}

/// How the text of one that is ready begins, before what a run has changed.
#[must_use]
pub fn reconciled(assessment: &Assessment, failures: &[Failure]) -> String {
    let applications = assessment.tally.applications;
    match count(assessment, failures) {
        0 => format!("Reconciled {applications} applications,"),
        errors => format!("Reconciled {applications} applications with {errors} errors,"),
    }
}

/// Whether another ImageUpdater decides instead.
#[must_use]
pub fn overlapping(assessment: &Assessment) -> Statement {
    let others = &assessment.tally.decided_by;
    if others.is_empty() {
        let message = "It decides about every image that it tracks.";
        return statement(OVERLAPPING, false, "NoOverlap", message);
    }
    let one = |(other, images): (&ResourceId, &u32)| format!("ImageUpdater {other} ({images})");
    let message = format!(
        "Images that another ImageUpdater tracks in the same Applications, too, and decides about, because it comes first by age and then by \
         name: {}. Let only one of them track each.",
        list(others.iter().map(one))
    );
    statement(OVERLAPPING, true, "OtherImageUpdaterDecides", message)
}

fn count(assessment: &Assessment, failures: &[Failure]) -> usize {
    let unwritable = usize::try_from(assessment.tally.unwritable).unwrap_or(usize::MAX);
    assessment
        .errors
        .len()
        .saturating_add(failures.len())
        .saturating_add(unwritable)
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut more = 0;
    for item in items {
        if texts.len() < NAMED {
            texts.push(cut(&item, LONGEST));
        } else {
            more += 1;
        }
    }
    let text = texts.join("; ");
    if more == 0 {
        text
    } else {
        format!("{text}; and {more} more")
    }
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
