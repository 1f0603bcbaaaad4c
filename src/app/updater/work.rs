//! One batch of events: judged, and carried out.

use std::collections::HashSet;

use super::Updater;
use super::backlog::Work;
use super::lock;
use super::report;
use crate::app::status::Account;
use crate::domain::change::ApplicationChange;
use crate::domain::event::ImageEvent;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::judge;
use crate::domain::policy::Strategy;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::resources::resource::ResourceId;
use crate::ports::event_queue::Batch;
use crate::ports::registry_client::RegistryClient;
use crate::ports::update_trigger::TriggerError;

/// How often a decision is made again at once because an Application changed while it was made.
const DECISIONS: usize = 5;
/// How often work that fails for now is tried, over about ten minutes.
const ATTEMPTS: u32 = 15;

/// How often work has failed for now when people are told.
const TOLD_AT: u32 = 3;

/// Changes that could not be made for now, and why.
type Postponed = Vec<(ApplicationChange, String)>;

impl Updater {
    /// Judges what just came in: it ends here, or waits for its turn.
    pub(super) async fn examine(&self, mut batch: Batch) {
        self.refresh();
        if let Some(registry) = &self.ports.registry {
            *lock(&self.in_work) = Some(batch.clone());
            self.complete(&mut batch, registry.as_ref()).await;
            lock(&self.in_work).take();
        }
        let judgement = self.judge(&batch);
        if judgement.changes.is_empty() {
            report::together(&batch);
            report::judgement(&batch, &judgement);
            self.ports.queue.done(&batch).await;
        } else {
            let superseded = lock(&self.backlog).add(batch);
            self.end_superseded(superseded).await;
        }
    }

    /// Works on what came first.
    pub(super) async fn work_on_next(&self, at_the_end: bool) {
        let Some(work) = lock(&self.backlog).take(at_the_end) else {
            return;
        };
        report::together(&work.batch);
        *lock(&self.in_work) = Some(work.batch.clone());
        let mut account = Account::new(work.batch.image.clone());
        let postponed = self.carry_out(&work.batch, &mut account).await;
        lock(&self.in_work).take();
        if work.failures + 1 >= TOLD_AT {
            account.failed.extend(postponed.iter().cloned());
        }
        if let Some(reporter) = &self.reporter {
            reporter.done(&account);
        }
        if postponed.is_empty() {
            self.ports.queue.done(&work.batch).await;
        } else if work.failures + 1 >= ATTEMPTS {
            for (change, reason) in &postponed {
                report::failed(&work.batch, &change.application, reason);
            }
            self.ports.queue.done(&work.batch).await;
        } else {
            self.postpone(work, &postponed).await;
        }
    }

    async fn postpone(&self, work: Work, postponed: &Postponed) {
        let batch = work.batch.clone();
        let (wait, superseded) = lock(&self.backlog).again(work);
        for (change, reason) in postponed {
            report::postponed(&batch, &change.application, reason, wait);
        }
        self.end_superseded(superseded).await;
    }

    /// Makes every change that the events lead to, and gives back those that could not be made for now. An Application that changed
    /// meanwhile is judged again at once, if everything is known that a judgement needs.
    async fn carry_out(&self, batch: &Batch, account: &mut Account) -> Postponed {
        let mut settled = HashSet::new();
        let mut open = Postponed::new();
        for _ in 0..DECISIONS {
            self.refresh();
            let judgement = self.judge(batch);
            let (moved, postponed) = self
                .make_changes(batch, &judgement, &mut settled, account)
                .await;
            let is_done = moved.is_empty();
            open = moved.into_iter().chain(postponed).collect();
            if is_done || !self.is_current() {
                break;
            }
        }
        open
    }

    /// Makes the changes of Applications that are not settled, settles those where it worked or never will, and gives back those that
    /// moved meanwhile and those that could not be written for now.
    async fn make_changes(
        &self,
        batch: &Batch,
        judgement: &Judgement,
        settled: &mut HashSet<ResourceId>,
        account: &mut Account,
    ) -> (Postponed, Postponed) {
        let (mut moved, mut postponed) = (Postponed::new(), Postponed::new());
        let mut changes = judgement.changes.clone();
        changes.retain(|change| !settled.contains(&change.application));
        let results = self.apply(&changes).await;
        for (change, result) in changes.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    self.tell_change(batch, &change);
                    account.written.push(change);
                }
                Err(TriggerError::Moved { reason }) => moved.push((change, reason)),
                Err(error @ TriggerError::Unavailable { .. }) => {
                    postponed.push((change, error.to_string()));
                }
                Err(error @ TriggerError::Gone) => {
                    report::failed(batch, &change.application, &error.to_string());
                    account.gone.push(change.application);
                }
                Err(error @ TriggerError::Refused { .. }) => {
                    report::failed(batch, &change.application, &error.to_string());
                    account.failed.push((change, error.to_string()));
                }
            }
        }
        let open = |id: &ResourceId| {
            let mut open = moved.iter().chain(&postponed);
            open.any(|(change, _)| change.application == *id)
        };
        let mut told = HashSet::new();
        for verdict in &judgement.verdicts {
            let application = &verdict.application;
            if !open(application) && !settled.contains(application) {
                report::verdict(batch, verdict);
                told.insert(application.clone());
            }
        }
        settled.extend(told);
        (moved, postponed)
    }

    /// Makes changes. In a dry run every one of them succeeds, and none is made.
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        match &self.ports.trigger {
            Some(trigger) => trigger.apply(changes).await,
            None => vec![Ok(()); changes.len()],
        }
    }

    fn tell_change(&self, batch: &Batch, change: &ApplicationChange) {
        if self.ports.trigger.is_none() {
            report::would_change(batch, change);
            return;
        }
        lock(&self.backlog).wrote(&batch.image);
        report::changed(batch, change);
    }

    pub(super) fn judge(&self, batch: &Batch) -> Judgement {
        let events: Vec<ImageEvent> = batch
            .events
            .iter()
            .map(|queued| queued.event.clone())
            .collect();
        judge(&lock(&self.known).index, &batch.image, &events)
    }

    /// Asks the registry for the digests that events do not carry, where somebody tracks the image by digest.
    async fn complete(&self, batch: &mut Batch, registry: &dyn RegistryClient) {
        if !self.is_followed_by_digest(&batch.image) {
            return;
        }
        for queued in batch
            .events
            .iter_mut()
            .filter(|queued| queued.event.digest.is_none())
        {
            match registry
                .digest(
                    &Access::plain(queued.event.image.clone()),
                    &queued.event.tag,
                )
                .await
            {
                Ok(digest) => queued.event.digest = digest,
                Err(error) => report::no_digest(queued, &error),
            }
        }
    }

    fn is_followed_by_digest(&self, image: &ImageName) -> bool {
        let known = lock(&self.known);
        let mut policies = known
            .index
            .tracked(image)
            .filter_map(|tracked| tracked.rule.policy.as_ref().ok());
        policies.any(|policy| policy.strategy() == Strategy::Digest)
    }
}
