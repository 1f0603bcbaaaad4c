//! One image: judged, asked for, and carried out.

use tokio::sync::oneshot;
use tokio::time::Instant;

use std::sync::Arc;

use super::Registry;
use super::Updater;
use super::asking::Incoming;
use super::changing;
use super::changing::Postponed;
use super::lock;
use super::report;
use super::task::ATTEMPTS;
use super::task::Looked;
use super::task::Place;
use super::task::Task;
use crate::app::status::Account;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::queue::entry::Batch;
use crate::domain::reference::ImageName;

/// How often a decision is made again at once because an Application changed while it was made.
const DECISIONS: usize = 5;
/// How often work has failed for now when people are told.
const TOLD_AT: u32 = 3;
/// How often a judgement asks at once; each time it may ask for what the last answers made it think of.
const ROUNDS: usize = 16;

impl Updater {
    /// Asks for a look at what the registry of an image lists. The answer comes when all that it leads to is done, or not at all where the
    /// process ends before.
    #[must_use]
    pub fn look(&self, image: ImageName) -> oneshot::Receiver<Looked> {
        self.asking.look(image)
    }

    /// Gives up all looks that are not done: whoever asked for them does not want them any longer.
    pub fn give_up_looks(&self) {
        lock(&self.backlog).drop_looks();
        self.asking.drop_looks();
    }

    /// Judges what just came in: it ends here, or waits for answers or for its turn.
    pub(super) async fn examine(&self, batch: Batch) {
        self.consider(Task::of(batch)).await;
    }

    /// Takes in what is no event.
    pub(super) async fn take_in(&self, incoming: Incoming) {
        match incoming {
            // Whoever asked may have given it up while nothing was decided.
            Incoming::Look { waiting, .. } if waiting.is_closed() => {}
            Incoming::Look { image, waiting } => {
                self.consider(Task::look(image, Some(waiting))).await;
            }
            Incoming::Answers { key, learned, at } => {
                let ended = self.asking.end(&key, learned, at);
                let (task, newer) = ended.unzip();
                for task in task.into_iter().chain(newer.flatten()) {
                    self.consider(task).await;
                }
            }
        }
    }

    async fn consider(&self, mut task: Task) {
        self.refresh();
        if self.asking.is_open(&task.key()) {
            let superseded = self.asking.follow(task);
            return self.end_superseded(superseded).await;
        }
        // Answers may have waited while nothing was decided.
        task.forget_old();
        let judgement = self.decide(&task);
        if let Some(registry) = self.registry_for(&judgement) {
            let superseded = self.asking.begin(task, judgement.questions, registry);
            self.end_superseded(superseded).await;
        } else if !judgement.changes.is_empty() {
            task.is_in_line = true;
            let superseded = match task.place {
                Place::Last => lock(&self.backlog).add(task),
                Place::First | Place::Next => lock(&self.backlog).go_first(task),
            };
            self.end_superseded(superseded).await;
        } else if self.may_be_answered_later(&mut task, &judgement) {
            self.ask_later(task, &judgement).await;
        } else {
            report::together(&task.batch);
            report::judgement(&self.watching, &task.batch, &judgement, &task.settled);
            self.conclude(task, &judgement).await;
        }
    }

    /// Who is to be asked what a judgement misses, if it misses anything.
    fn registry_for(&self, judgement: &Judgement) -> Option<&Arc<Registry>> {
        let registry = self.ports.registry.as_ref();
        registry.filter(|_| !judgement.questions.is_empty())
    }

    /// Whether it is worth while to ask again. A look is made again anyway.
    fn may_be_answered_later(&self, task: &mut Task, judgement: &Judgement) -> bool {
        let mut opinions = judgement.verdicts.iter().map(|verdict| &verdict.opinion);
        let is_passing = opinions
            .any(|opinion| matches!(opinion, Opinion::Failed(failure) if failure.is_passing));
        if !is_passing || task.is_look() || self.is_last_chance() || task.failures + 1 >= ATTEMPTS {
            return false;
        }
        // A registry that does not answer says nothing of what it shows.
        if !task.knowledge.has_failures() {
            task.unshown.get_or_insert_with(Instant::now);
        }
        true
    }

    async fn ask_later(&self, mut task: Task, judgement: &Judgement) {
        self.give_up_old(&mut task, judgement, &Postponed::new())
            .await;
        task.forget();
        let batch = task.batch.clone();
        task.is_in_line = false;
        task.place = Place::Last;
        let (wait, superseded) = lock(&self.backlog).later(task);
        report::asked_later(&batch, judgement, wait);
        self.end_superseded(superseded).await;
    }

    /// Works on what came first.
    pub(super) async fn work_on_next(&self, at_the_end: bool) {
        let Some(mut task) = lock(&self.backlog).take(at_the_end) else {
            return;
        };
        if !task.is_look() && !self.ports.queue.is_kept(&task.batch) {
            return report::not_kept(&task.batch);
        }
        let mut judgement = self.judge(&task);
        let had_turn = !judgement.changes.is_empty();
        task.has_turn |= had_turn;
        if task.forget_old() {
            judgement = self.judge(&task);
        }
        if let Some(registry) = self.registry_for(&judgement) {
            // Not here, where everything else would wait for the registry. It does not lose its turn by that, nor its place.
            task.place = match task.place {
                Place::Next => Place::Next,
                Place::Last | Place::First if had_turn => Place::Next,
                Place::Last | Place::First if task.is_in_line => Place::First,
                Place::Last | Place::First => Place::Last,
            };
            let superseded = self.asking.begin(task, judgement.questions, registry);
            return self.end_superseded(superseded).await;
        }
        task.place = Place::Last;
        report::together(&task.batch);
        *lock(&self.in_work) = Some(task.batch.clone());
        let mut account = Account::new(task.batch.image.clone());
        let (judgement, is_left) = self.carry_out(&mut task, &mut account).await;
        lock(&self.in_work).take();
        let postponed = task.postponed.iter().cloned();
        if task.failures + 1 >= ATTEMPTS && !is_left {
            account.failed.extend(postponed);
        } else if task.failures + 1 >= TOLD_AT {
            account.held_up.extend(postponed);
        }
        if let Some(reporter) = &self.reporter {
            reporter.done(&account);
        }
        task.looked.changed += account
            .written
            .iter()
            .map(|change| change.images.len())
            .sum::<usize>();
        task.looked.failed += account.failed.len();
        if is_left {
            let superseded = lock(&self.backlog).go_on(task);
            self.end_superseded(superseded).await;
        } else {
            self.settle_up(task, &judgement).await;
        }
    }

    /// Ends work of which all is done that can be for now, or has it done again later.
    async fn settle_up(&self, mut task: Task, judgement: &Judgement) {
        let gives_up = task.failures + 1 >= ATTEMPTS;
        if !task.postponed.is_empty() && !gives_up {
            return self.postpone(task, judgement).await;
        }
        for (change, reason) in task.postponed.clone() {
            self.fail(&mut task, &change, &reason);
        }
        if task.postponed.is_empty() && self.may_be_answered_later(&mut task, judgement) {
            return self.ask_later(task, judgement).await;
        }
        report::rest(&self.watching, &task.batch, judgement, &task.settled);
        self.conclude(task, judgement).await;
    }

    async fn postpone(&self, mut task: Task, judgement: &Judgement) {
        let postponed = std::mem::take(&mut task.postponed);
        self.give_up_old(&mut task, judgement, &postponed).await;
        let batch = task.batch.clone();
        task.forget();
        for (change, _) in &postponed {
            task.settled.remove(&change.application);
        }
        let (wait, superseded) = lock(&self.backlog).again(task);
        for (change, reason) in &postponed {
            report::postponed(&batch, &change.application, reason, wait);
        }
        self.end_superseded(superseded).await;
    }

    /// Ends the work on events that have failed for long while newer ones came. The rest goes on.
    async fn give_up_old(&self, task: &mut Task, judgement: &Judgement, postponed: &Postponed) {
        let Some(mut old) = task.split_off_old() else {
            return;
        };
        let failed = judgement.verdicts.iter();
        let failed = failed.filter(|verdict| matches!(verdict.opinion, Opinion::Failed(_)));
        for verdict in failed {
            report::verdict(&self.watching, &old.batch, verdict);
            changing::note(&mut old, verdict);
        }
        for (change, reason) in postponed {
            self.fail(&mut old, change, reason);
        }
        if let Some(reporter) = &self.reporter {
            reporter.judged(&old.batch.image, judgement);
            reporter.done(&Account {
                failed: postponed.clone(),
                ..Account::new(old.batch.image.clone())
            });
        }
        let fate = old.fate();
        self.ports.queue.done(&old.batch, &fate).await;
    }

    /// Ends the work, and tells those who wait for it what came of it.
    async fn conclude(&self, mut task: Task, judgement: &Judgement) {
        let verdicts = judgement.verdicts.iter();
        let failed = verdicts.filter(|verdict| matches!(verdict.opinion, Opinion::Failed(_)));
        task.looked.considered = judgement.verdicts.len();
        task.looked.failed += failed.count();
        // What ends without a question says nothing of what a registry did not answer to others.
        let asked = task.is_look() || task.learned.is_some();
        if let Some(reporter) = self.reporter.as_ref().filter(|_| asked) {
            reporter.judged(&task.batch.image, judgement);
        }
        if !task.is_look() {
            for verdict in &judgement.verdicts {
                if !task.settled.contains(&verdict.application) {
                    changing::note(&mut task, verdict);
                }
            }
            let fate = task.fate();
            self.ports.queue.done(&task.batch, &fate).await;
        }
        task.tell();
    }

    /// Makes every change that the work leads to, and gives back the last judgement and whether more is to be done in another turn. What could
    /// not be made for now is noted in the task. An Application that changed meanwhile is judged again at once, if everything is known that a
    /// judgement needs.
    async fn carry_out(&self, task: &mut Task, account: &mut Account) -> (Judgement, bool) {
        let earlier = std::mem::take(&mut task.postponed);
        let mut open = Postponed::new();
        let mut judgement = Judgement::default();
        let mut is_left = false;
        for _ in 0..DECISIONS {
            self.refresh();
            judgement = self.judge_in_full(task).await;
            let made = self.make_changes(task, &judgement, account).await;
            let is_done = made.moved.is_empty() || made.is_left;
            is_left = made.is_left;
            open = made.moved.into_iter().chain(made.postponed).collect();
            if is_done || !self.is_current() {
                break;
            }
        }
        task.postponed = earlier.into_iter().chain(open).collect();
        (judgement, is_left)
    }

    /// Judges, and asks what it takes.
    async fn judge_in_full(&self, task: &mut Task) -> Judgement {
        let mut judgement = self.decide(task);
        for _ in 0..ROUNDS {
            let Some(registry) = self.registry_for(&judgement) else {
                break;
            };
            let questions = std::mem::take(&mut judgement.questions);
            let learned = registry.answers(questions, &task.batch).await;
            task.learn(learned, Instant::now());
            judgement = self.decide(task);
        }
        judgement
    }
}
