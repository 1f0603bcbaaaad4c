//! Making the changes of a judgement.

use std::collections::HashSet;

use tokio::time::Instant;

use super::Updater;
use super::lock;
use super::report;
use super::task::Task;
use super::watching::Watching;
use crate::app::status::Account;
use crate::domain::change::ApplicationChange;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::judgement::Verdict;
use crate::domain::resources::resource::ResourceId;
use crate::ports::event_queue::Batch;
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
        let (batch, settled) = (&task.batch, &mut task.settled);
        let mut changes = judgement.changes.clone();
        changes.retain(|change| !settled.contains(&change.application));
        if self.ports.spread.is_some() && changes.len() > 1 {
            changes.truncate(1);
            settled.extend(changes.iter().map(|change| change.application.clone()));
            made.is_left = true;
        }
        let results = self.apply(batch, &changes).await;
        for (change, result) in changes.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    self.tell_change(batch, &change);
                    account.written.push(change);
                }
                Err(TriggerError::Moved { reason }) => made.moved.push((change, reason)),
                Err(error @ TriggerError::Unavailable { .. }) => {
                    made.postponed.push((change, error.to_string()));
                }
                Err(error @ TriggerError::Gone) => {
                    report::failed(
                        &self.watching,
                        batch,
                        &change.application,
                        &error.to_string(),
                    );
                    account.gone.push(change.application);
                }
                Err(error @ TriggerError::Refused { .. }) => {
                    report::failed(
                        &self.watching,
                        batch,
                        &change.application,
                        &error.to_string(),
                    );
                    account.failed.push((change, error.to_string()));
                }
            }
        }
        if !made.is_left {
            settle(&self.watching, batch, judgement, settled, &made);
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

    fn tell_change(&self, batch: &Batch, change: &ApplicationChange) {
        if self.ports.trigger.is_none() {
            report::would_change(&self.watching, batch, change);
            return;
        }
        lock(&self.backlog).wrote(&batch.image);
        report::changed(&self.watching, batch, change);
        self.watching.changed(batch, change);
    }
}

/// Tells what was found where nothing is open any more. What a registry did not answer is told when it is given up.
fn settle(
    watching: &Watching,
    batch: &Batch,
    judgement: &Judgement,
    settled: &mut HashSet<ResourceId>,
    made: &Made,
) {
    let unwritten = made.moved.iter().chain(&made.postponed);
    let unwritten = unwritten.map(|(change, _)| &change.application);
    let failed = |verdict: &&Verdict| matches!(verdict.opinion, Opinion::Failed(_));
    let unanswered = judgement.verdicts.iter().filter(failed);
    let unanswered = unanswered.map(|verdict| &verdict.application);
    let open: HashSet<&ResourceId> = unwritten.chain(unanswered).collect();
    let mut told = HashSet::new();
    for verdict in &judgement.verdicts {
        let application = &verdict.application;
        if !open.contains(application) && !settled.contains(application) {
            report::verdict(watching, batch, verdict);
            told.insert(application.clone());
        }
    }
    settled.extend(told);
}
