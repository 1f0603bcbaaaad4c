//! Making the changes of a judgement.

use std::collections::HashSet;

use tokio::time::Instant;

use super::Updater;
use super::lock;
use super::report;
use super::task::Task;
use crate::app::status::Account;
use crate::domain::change::ApplicationChange;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::judgement::Verdict;
use crate::domain::queue::entry::Batch;
use crate::domain::queue::fate::ImageOutcome;
use crate::domain::resources::resource::ResourceId;
use crate::ports::update_trigger::TriggerError;
use crate::ports::work_watcher::Step;

/// Changes that could not be made for now, and why.
pub(super) type Postponed = Vec<(ApplicationChange, String)>;

/// What became of changes that are not settled.
#[derive(Default)]
pub(super) struct Made {
    /// Those whose Application moved meanwhile.
    pub(super) moved: Postponed,
    /// Those that could not be written for now.
    pub(super) postponed: Postponed,
    /// Whether there are more, which are to be made in another turn.
    pub(super) is_left: bool,
}

impl Updater {
    /// Makes the changes of Applications that are not settled, and settles those where it worked or never will.
    pub(super) async fn make_changes(
        &self,
        task: &mut Task,
        judgement: &Judgement,
        account: &mut Account,
    ) -> Made {
        let mut made = Made::default();
        let mut changes = judgement.changes.clone();
        changes.retain(|change| !task.settled.contains(&change.application));
        if self.ports.spread.is_some() {
            made.is_left = keep_first_application(&mut changes);
        }
        if made.is_left {
            let settled = changes.iter().map(|change| change.application.clone());
            task.settled.extend(settled);
        }
        let results = self.apply(&task.batch, &changes).await;
        for (change, result) in changes.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    self.tell_change(task, &change);
                    account.written.push(change);
                }
                Err(TriggerError::Moved { reason }) => made.moved.push((change, reason)),
                Err(error @ TriggerError::Unavailable { .. }) => {
                    made.postponed.push((change, error.to_string()));
                }
                Err(error @ TriggerError::Gone) => {
                    self.fail(task, &change, &error.to_string());
                    account.gone.push(change.application);
                }
                Err(error @ TriggerError::Refused { .. }) => {
                    self.fail(task, &change, &error.to_string());
                    account.failed.push((change, error.to_string()));
                }
            }
        }
        if !made.is_left {
            self.settle(task, judgement, &made);
        }
        made
    }

    /// Makes changes. In a dry run every one of them succeeds, and none is made.
    async fn apply(
        &self,
        batch: &Batch,
        changes: &[ApplicationChange],
    ) -> Vec<Result<(), TriggerError>> {
        let Some(trigger) = self.ports.trigger.as_ref().filter(|_| !changes.is_empty()) else {
            return vec![Ok(()); changes.len()];
        };
        let began = Instant::now();
        let results = trigger.apply(changes).await;
        let failed = results.iter().any(Result::is_err);
        self.watching.stepped(Step::Write, batch, began, failed);
        results
    }

    fn tell_change(&self, task: &mut Task, change: &ApplicationChange) {
        let outcome = if self.ports.trigger.is_none() {
            report::would_change(&self.watching, &task.batch, change);
            ImageOutcome::DryRun
        } else {
            lock(&self.backlog).wrote(&task.batch.image);
            report::changed(&self.watching, &task.batch, change);
            self.watching.changed(&task.batch, change);
            ImageOutcome::Changed
        };
        for image in &change.images {
            let mut detail = format!("from {:?} to {:?}", image.old, image.new);
            if let Some(remark) = &image.remark {
                detail = format!("{detail}: {remark}");
            }
            task.note(&change.application, &image.alias, outcome, detail);
        }
    }

    /// A change will not be written.
    pub(super) fn fail(&self, task: &mut Task, change: &ApplicationChange, reason: &str) {
        report::failed(&self.watching, &task.batch, &change.application, reason);
        for image in &change.images {
            let (application, alias) = (&change.application, &image.alias);
            task.note(application, alias, ImageOutcome::Failed, reason.to_owned());
        }
    }

    /// Tells what was found where nothing is open any more. What a registry did not answer is told when it is given up.
    fn settle(&self, task: &mut Task, judgement: &Judgement, made: &Made) {
        let unwritten = made.moved.iter().chain(&made.postponed);
        let unwritten = unwritten.map(|(change, _)| &change.application);
        let failed = |verdict: &&Verdict| matches!(verdict.opinion, Opinion::Failed(_));
        let unanswered = judgement.verdicts.iter().filter(failed);
        let unanswered = unanswered.map(|verdict| &verdict.application);
        let open: HashSet<&ResourceId> = unwritten.chain(unanswered).collect();
        let mut told = HashSet::new();
        for verdict in &judgement.verdicts {
            let application = &verdict.application;
            if !open.contains(application) && !task.settled.contains(application) {
                report::verdict(&self.watching, &task.batch, verdict);
                note(task, verdict);
                told.insert(application.clone());
            }
        }
        task.settled.extend(told);
    }
}

/// Keeps the changes of one Application, which may have several sources, and says whether there are those of others.
fn keep_first_application(changes: &mut Vec<ApplicationChange>) -> bool {
    let all = changes.len();
    if let Some(first) = changes.first().map(|change| change.application.clone()) {
        changes.retain(|change| change.application == first);
    }
    changes.len() < all
}

/// Notes what was found in an Application that is not changed.
pub(super) fn note(task: &mut Task, found: &Verdict) {
    if !found.live {
        return;
    }
    let (outcome, detail) = match &found.opinion {
        // Noted when it is made, and when it is answered.
        Opinion::Change { .. } | Opinion::Open => return,
        Opinion::Unchanged(reason) => (ImageOutcome::Unchanged, reason),
        Opinion::Undecided(reason) => (ImageOutcome::Undecided, reason),
        Opinion::Failed(failure) => (ImageOutcome::Failed, &failure.reason),
    };
    task.note(&found.application, &found.alias, outcome, detail.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::SourcePlace;

    #[test]
    fn all_sources_of_an_application_have_one_turn() {
        let change = |name: &str, index| ApplicationChange {
            application: ResourceId {
                namespace: "argocd".to_owned(),
                name: name.to_owned(),
            },
            source: SourcePlace::Multiple(index),
            edits: Vec::new(),
            images: Vec::new(),
        };
        let both = [change("web", 0), change("web", 1)];
        let mut changes = both.to_vec();
        assert!(!keep_first_application(&mut changes));
        assert_eq!(changes, both);
        changes.push(change("shop", 0));
        assert!(keep_first_application(&mut changes));
        assert_eq!(changes, both);
        assert!(!keep_first_application(&mut Vec::new()));
    }
}
