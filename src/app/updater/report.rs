//! One log line for what became of an image in an Application, under the ids of the deliveries that announced it. Each line with an outcome is
//! counted once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::time::Duration;

use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

use super::currency::Turn;
use super::watching::Watching;
use crate::domain::change::ApplicationChange;
use crate::domain::delivery::DeliveryId;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::judgement::Verdict;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::entry::QueuedEvent;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::resources::Resources;
use crate::domain::resources::problem::Problem;
use crate::domain::resources::problem::Severity;
use crate::domain::resources::resource::ResourceId;
use crate::ports::work_watcher::UNMATCHED;

/// The most ids or tags that a line names. A line of thousands would be cut by whatever collects logs.
const NAMED: usize = 16;

/// The most Applications that a line about many names. The debug log has them all.
const EXAMPLES: usize = 3;

/// The ids of a batch's deliveries, so that a search for one finds the line. Of more than [`NAMED`] the newest; [`together`] leads from the others
/// to them.
fn deliveries(batch: &Batch) -> Option<String> {
    (!batch.events.is_empty()).then(|| newest(&ids(batch)))
}

fn tags(batch: &Batch) -> Option<String> {
    let tags: Vec<&str> = batch
        .events
        .iter()
        .map(|queued| queued.event.tag.as_str())
        .collect();
    (!tags.is_empty()).then(|| newest(&tags))
}

/// In order of arrival, so the events of one delivery follow each other.
fn ids(batch: &Batch) -> Vec<&str> {
    let mut ids: Vec<&str> = batch
        .events
        .iter()
        .map(|queued| queued.delivery.as_str())
        .collect();
    ids.dedup();
    ids
}

fn newest(texts: &[&str]) -> String {
    let unnamed = texts.len().saturating_sub(NAMED);
    let named = texts[unnamed..].join(",");
    if unnamed == 0 {
        named
    } else {
        format!("{named} and {unnamed} before")
    }
}

/// Says of deliveries that are too many for a line which one the lines about them name.
pub(super) fn together(batch: &Batch) {
    let ids = ids(batch);
    let (Some(newest), true) = (ids.last(), ids.len() > NAMED) else {
        return;
    };
    for some in ids.chunks(NAMED) {
        info!(delivery = some.join(","), with = newest, image = %batch.image, "deliveries are judged together");
    }
}

/// Nothing is to be changed, or nothing more.
pub(super) fn judgement(
    watching: &Watching,
    batch: &Batch,
    judgement: &Judgement,
    settled: &HashSet<ResourceId>,
) {
    let verdicts = &judgement.verdicts;
    if !settled.is_empty() {
        return rest(watching, batch, judgement, settled);
    }
    if verdicts.is_empty() {
        watching.unmatched(batch);
        nowhere(batch, UNMATCHED, None, "no Application tracks this image");
    } else if verdicts.iter().all(|verdict| !verdict.live) {
        let reason = "the image is live in none of the Applications in which it is tracked; the debug log names them";
        watching.concluded(batch, ImageOutcome::Unchanged, 1);
        let outcome = ImageOutcome::Unchanged.name();
        nowhere(batch, outcome, Some(verdicts.len()), reason);
    }
    self::verdicts(watching, batch, verdicts.iter());
}

/// No Application runs the image. Where any track it, `applications` says how many. A look at a registry is made again and again, so what it
/// does not change is for the debug log.
fn nowhere(batch: &Batch, outcome: &str, applications: Option<usize>, reason: &str) {
    macro_rules! line {
        ($level:ident) => {
            $level!(
                delivery = deliveries(batch),
                outcome,
                image = %batch.image,
                tag = tags(batch),
                applications,
                reason,
                "image {outcome}"
            )
        };
    }
    if batch.events.is_empty() {
        line!(debug);
    } else {
        line!(info);
    }
}

/// An image stays as it is in an Application. One that changes is told of when it has changed. An ImageUpdater may track images in thousands of
/// Applications that do not run them, so those get no line of their own that is seen by default.
pub(super) fn verdict(watching: &Watching, batch: &Batch, verdict: &Verdict) {
    macro_rules! line {
        ($level:ident, $outcome:ident, $reason:expr) => {
            let outcome = ImageOutcome::$outcome;
            watching.concluded(batch, outcome, 1);
            $level!(
                delivery = deliveries(batch),
                outcome = outcome.name(),
                image = %batch.image,
                tag = tags(batch),
                application = %verdict.application,
                image_updater = %verdict.updater,
                alias = verdict.alias,
                reason = $reason,
                "image {}",
                outcome.name()
            );
        };
    }
    if !verdict.live {
        let application = &verdict.application;
        debug!(delivery = deliveries(batch), image = %batch.image, %application, "image is not live");
        return;
    }
    let is_look = batch.events.is_empty();
    match &verdict.opinion {
        // Told when it is made, and when it is answered.
        Opinion::Change { .. } | Opinion::Open => {}
        Opinion::Unchanged(reason) if is_look => {
            line!(debug, Unchanged, reason);
        }
        Opinion::Unchanged(reason) => {
            line!(info, Unchanged, reason);
        }
        Opinion::Undecided(reason) if is_look => {
            line!(debug, Undecided, reason);
        }
        Opinion::Undecided(reason) => {
            line!(info, Undecided, reason);
        }
        Opinion::Failed(failure) => {
            line!(warn, Failed, failure.reason);
        }
    }
}

/// What was found in the Applications that nobody was told of yet.
pub(super) fn rest(
    watching: &Watching,
    batch: &Batch,
    judgement: &Judgement,
    settled: &HashSet<ResourceId>,
) {
    let is_open = |verdict: &&Verdict| !settled.contains(&verdict.application);
    verdicts(watching, batch, judgement.verdicts.iter().filter(is_open));
}

/// What was found in some Applications. What a look fails at is mostly the same in all of them, and each look would say it again, so one line
/// for a reason is what is seen by default.
fn verdicts<'v>(watching: &Watching, batch: &Batch, verdicts: impl Iterator<Item = &'v Verdict>) {
    let mut failed: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts {
        if let Opinion::Failed(failure) = &verdict.opinion
            && verdict.live
            && batch.events.is_empty()
        {
            failed.entry(&failure.reason).or_default().push(verdict);
        } else {
            self::verdict(watching, batch, verdict);
        }
    }
    for (reason, verdicts) in failed {
        match verdicts[..] {
            [alone] => verdict(watching, batch, alone),
            _ => failed_alike(watching, batch, reason, &verdicts),
        }
    }
}

/// A look failed for one reason at many places.
fn failed_alike(watching: &Watching, batch: &Batch, reason: &str, verdicts: &[&Verdict]) {
    watching.concluded(batch, ImageOutcome::Failed, verdicts.len());
    let applications: BTreeSet<&ResourceId> = verdicts
        .iter()
        .map(|verdict| &verdict.application)
        .collect();
    warn!(
        outcome = "failed",
        image = %batch.image,
        applications = applications.len(),
        application = examples(&applications),
        reason,
        "image failed"
    );
    for verdict in verdicts {
        debug!(
            image = %batch.image,
            application = %verdict.application,
            image_updater = %verdict.updater,
            alias = verdict.alias,
            reason,
            "image failed here, too"
        );
    }
}

/// The first few, and how many more there are.
fn examples(applications: &BTreeSet<&ResourceId>) -> String {
    let named = applications.iter().take(EXAMPLES);
    let named: Vec<String> = named.map(ToString::to_string).collect();
    let named = named.join(",");
    match applications.len().saturating_sub(EXAMPLES) {
        0 => named,
        unnamed => format!("{named} and {unnamed} more"),
    }
}

/// What registries give no answer to for now.
pub(super) fn asked_later(batch: &Batch, judgement: &Judgement, wait: Duration) {
    for verdict in &judgement.verdicts {
        let Opinion::Failed(failure) = &verdict.opinion else {
            continue;
        };
        info!(
            delivery = deliveries(batch),
            image = %batch.image,
            tag = tags(batch),
            application = %verdict.application,
            reason = failure.reason,
            retry_after_seconds = wait.as_secs_f64().ceil(),
            "image could not be decided for now"
        );
    }
}

/// A change was written.
pub(super) fn changed(watching: &Watching, batch: &Batch, change: &ApplicationChange) {
    watching.concluded(batch, ImageOutcome::Changed, change.images.len());
    images(batch, change, ImageOutcome::Changed, "changed");
}

/// A change would be written, were this no dry run.
pub(super) fn would_change(watching: &Watching, batch: &Batch, change: &ApplicationChange) {
    watching.concluded(batch, ImageOutcome::DryRun, change.images.len());
    images(batch, change, ImageOutcome::DryRun, "would change");
}

fn images(batch: &Batch, change: &ApplicationChange, outcome: ImageOutcome, what: &str) {
    let outcome = outcome.name();
    for image in &change.images {
        info!(
            delivery = deliveries(batch),
            outcome,
            image = %batch.image,
            application = %change.application,
            alias = image.alias,
            old = image.old,
            new = image.new,
            remark = image.remark,
            "image {what}"
        );
    }
}

/// A change will not be written.
pub(super) fn failed(watching: &Watching, batch: &Batch, application: &ResourceId, reason: &str) {
    watching.concluded(batch, ImageOutcome::Failed, 1);
    error!(
        delivery = deliveries(batch),
        outcome = "failed",
        image = %batch.image,
        tag = tags(batch),
        %application,
        reason,
        "image failed"
    );
}

/// A change has to wait.
pub(super) fn postponed(batch: &Batch, application: &ResourceId, reason: &str, wait: Duration) {
    warn!(
        delivery = deliveries(batch),
        image = %batch.image,
        tag = tags(batch),
        %application,
        reason,
        retry_after_seconds = wait.as_secs_f64().ceil(),
        "image could not be changed for now"
    );
}

/// A later delivery for the same tag takes the place of one that still waited.
pub(super) fn superseded(event: &QueuedEvent, by: &DeliveryId) {
    info!(
        delivery = %event.delivery,
        %by,
        image = %event.event.image,
        tag = %event.event.tag,
        "delivery superseded by a newer one for the same tag"
    );
}

/// Work that waited here for its turn is, or may be, another process's by now.
pub(super) fn not_kept(batch: &Batch) {
    info!(
        delivery = deliveries(batch),
        image = %batch.image,
        tag = tags(batch),
        "image left to the replica that has it by now"
    );
}

/// Work that the process does not get to before it has to end.
pub(super) fn left_over(watching: &Watching, batch: &Batch) {
    watching.concluded(batch, ImageOutcome::Failed, 1);
    error!(
        delivery = deliveries(batch),
        outcome = "failed",
        image = %batch.image,
        tag = tags(batch),
        reason = "the process had to end; have the sender deliver it again",
        "image left over"
    );
}

/// Something is wrong with an ImageUpdater or an Application.
pub(super) fn problem(problem: &Problem) {
    let Problem {
        kind,
        about,
        severity,
        message,
    } = problem;
    match severity {
        Severity::Error => {
            error!(%kind, object = %about, problem = message, "resource has a problem");
        }
        Severity::Warning => {
            warn!(%kind, object = %about, problem = message, "resource has a problem");
        }
    }
}

/// Decisions have to wait, or need not wait any longer.
pub(super) fn turn(turn: Turn) {
    match turn {
        Turn::Begins => {
            info!("deliveries wait until ImageUpdaters and Applications are read");
        }
        Turn::Behind => {
            warn!("deliveries wait: what is known of ImageUpdaters and Applications may be old");
        }
        Turn::Current(after) => info!(
            ?after,
            "ImageUpdaters and Applications are up to date: deliveries are worked on"
        ),
    }
}

/// ImageUpdaters and Applications were read, at first or because one of them changed.
pub(super) fn resources(resources: &Resources) {
    let (applications, image_updaters) = (resources.applications.len(), resources.updaters.len());
    debug!(applications, image_updaters, "resources read");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::telemetry::testing::logged;
    use crate::app::updater::tests::batch;
    use crate::app::updater::tests::id;
    use crate::domain::registry::answer::Failure;

    fn failed(application: usize, alias: &str, reason: &str) -> Verdict {
        Verdict {
            application: id(&format!("web-{application:04}")),
            updater: id("updater"),
            alias: alias.to_owned(),
            image: "quay.io/a/b".to_owned(),
            live: true,
            opinion: Opinion::Failed(Failure {
                reason: reason.to_owned(),
                is_passing: true,
            }),
        }
    }

    fn lines_of(batch: &Batch, verdicts: Vec<Verdict>, level: &str) -> Vec<String> {
        let judgement = Judgement {
            verdicts,
            ..Judgement::default()
        };
        let mut lines =
            logged(|| self::judgement(&Watching::default(), batch, &judgement, &HashSet::new()));
        lines.retain(|line| line.starts_with(level));
        lines
    }

    fn look() -> Batch {
        Batch {
            events: Vec::new(),
            ..batch(&["quay.io/a/b:1"])
        }
    }

    #[test]
    fn a_look_that_fails_for_one_reason_in_a_thousand_applications_warns_once() {
        let verdicts = || {
            let down = (0..1000).map(|number| failed(number, "main", "registry down"));
            let rest = [
                // Another image of an Application that is counted already.
                failed(7, "side", "registry down"),
                failed(1, "main", "not signed"),
            ];
            let mut verdicts: Vec<Verdict> = down.chain(rest).collect();
            verdicts.push(Verdict {
                live: false,
                ..failed(2000, "main", "registry down")
            });
            verdicts
        };
        let alone = "level=warning msg=\"image failed\" outcome=failed image=quay.io/a/b application=argocd/web-0001 image_updater=argocd/updater alias=main reason=\"not signed\"\n";
        let together = "level=warning msg=\"image failed\" outcome=failed image=quay.io/a/b applications=1000 application=\"argocd/web-0000,argocd/web-0001,argocd/web-0002 and 997 more\" reason=\"registry down\"\n";
        assert_eq!(
            lines_of(&look(), verdicts(), "level=warning"),
            [alone, together]
        );
        let details = lines_of(&look(), verdicts(), "level=debug");
        let of_failures = details.iter().filter(|line| line.contains("here, too"));
        assert_eq!(of_failures.count(), 1001);
        assert!(details.iter().any(|line| line.contains("web-0999")));
    }

    #[test]
    fn what_fails_for_a_delivery_is_told_of_each_application() {
        let verdicts = (0..3).map(|number| failed(number, "main", "registry down"));
        let lines = lines_of(
            &batch(&["quay.io/a/b:1"]),
            verdicts.collect(),
            "level=warning",
        );
        assert_eq!(lines.len(), 3, "{lines:?}");
        for (number, line) in lines.iter().enumerate() {
            let application = format!("application=argocd/web-{number:04}");
            assert!(line.contains(&application), "{line}");
            assert!(line.contains("delivery=d"), "{line}");
        }
    }

    #[test]
    fn a_line_names_the_newest_and_counts_the_rest() {
        assert_eq!(newest(&["a", "b"]), "a,b");
        let many: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            newest(&many),
            "24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39 and 24 before"
        );
    }
}
