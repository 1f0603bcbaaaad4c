//! Judging one tracked image.

use super::Grounds;
use super::Opinion;
use super::changes::Changes;
use crate::domain::policy::Choice;
use crate::domain::policy::NewVersion;
use crate::domain::policy::Policy;
use crate::domain::policy::Pushed;
use crate::domain::policy::circumstances::Circumstances;
use crate::domain::policy::confirming::not_shown;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::inquiry::mismatched;
use crate::domain::registry::question::Question;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::image_rule::Verification;
use crate::domain::tracking::tracked_image::TrackedImage;

/// What is the same for everything that tracks an image.
pub(super) struct Case<'a> {
    /// What was pushed; `None` where the registry is looked at.
    pub(super) pushed: Option<Vec<Pushed>>,
    pub(super) grounds: Grounds<'a>,
}

impl Case<'_> {
    /// What is found about one tracked image.
    pub(super) fn opinion(&self, tracked: &TrackedImage, changes: &mut Changes) -> Opinion {
        if tracked.live.is_none() {
            return Opinion::Unchanged(format!(
                "{} is not live in this Application, by its status or, where that lists no images, by its spec: name its parameters in manifestTargets, or set forceUpdate to true to write it all the same",
                tracked.rule.image.spelling()
            ));
        }
        let policy = match &tracked.rule.policy {
            Ok(policy) => policy,
            Err(error) => return Opinion::Undecided(error.to_string()),
        };
        let Some(knowledge) = self.grounds.knowledge else {
            return self.by_the_event(policy, tracked, changes);
        };
        // Before anything is asked: nothing could be written.
        if let Some(obstacle) = obstacle(tracked) {
            return Opinion::Undecided(obstacle);
        }
        let access = match tracked.access(self.grounds.credential_kinds) {
            Ok(access) => access,
            Err(error) => return Opinion::Undecided(error.to_string()),
        };
        let mut inquiry = Inquiry::new(access, knowledge);
        let choice = self.choose(policy, tracked, &mut inquiry);
        let ended = inquiry.end();
        if !ended.open.is_empty() {
            changes
                .questions
                .entry(ended.access)
                .or_default()
                .extend(ended.open);
            return Opinion::Open;
        }
        match choice {
            Choice::Change(version) => changes.make(tracked, &version, ended.remark),
            Choice::Unchanged(reason) => Opinion::Unchanged(with_remark(reason, ended.remark)),
            Choice::Undecided(reason) => Opinion::Undecided(reason),
            Choice::Failed(failure) => Opinion::Failed(failure),
            Choice::Open => Opinion::Open,
        }
    }

    /// Without asking anybody.
    fn by_the_event(
        &self,
        policy: &Policy,
        tracked: &TrackedImage,
        changes: &mut Changes,
    ) -> Opinion {
        let pushed = self.pushed.as_deref().unwrap_or_default();
        match policy.choose(pushed, &tracked.in_use()) {
            Choice::Change(version) => match tracked.rule.verification {
                Verification::NotAsked => changes.make(tracked, &version, None),
                Verification::WithKey(_) | Verification::WithoutKey => Opinion::Undecided(
                    "its signature is to be verified, which takes a registry: set --webhook-confirm to registry".to_owned(),
                ),
            },
            Choice::Unchanged(reason) => Opinion::Unchanged(reason),
            Choice::Undecided(reason) => Opinion::Undecided(reason),
            Choice::Failed(failure) => Opinion::Failed(failure),
            Choice::Open => Opinion::Open,
        }
    }

    fn choose(&self, policy: &Policy, tracked: &TrackedImage, inquiry: &mut Inquiry<'_>) -> Choice {
        let current = tracked.in_use();
        let circumstances = Circumstances {
            current: &current,
            never_downgrade: self.grounds.never_downgrade,
            is_last_try: self.grounds.is_last_try,
        };
        let choice = match &self.pushed {
            Some(pushed) => policy.confirm(pushed, circumstances, inquiry),
            None => policy.look(circumstances, inquiry),
        };
        match choice {
            Choice::Change(version) => signed(tracked, version, inquiry),
            Choice::Unchanged(_) | Choice::Undecided(_) | Choice::Open | Choice::Failed(_) => {
                choice
            }
        }
    }
}

/// A version that is to be run, if its signature is as it has to be. What was verified is what is deployed, so it is pinned.
fn signed(tracked: &TrackedImage, version: NewVersion, inquiry: &mut Inquiry<'_>) -> Choice {
    let key = match &tracked.rule.verification {
        Verification::NotAsked => return Choice::Change(version),
        Verification::WithKey(key) => key.clone(),
        // A hindrance, which was found before.
        Verification::WithoutKey => {
            return Choice::Undecided(Hindrance::VerificationKey.to_string());
        }
    };
    let digest = match version
        .digest
        .as_ref()
        .map_or_else(|| inquiry.digest(&version.tag), |digest| Ok(Some(digest)))
    {
        Ok(Some(digest)) => digest.clone(),
        Ok(None) => {
            return not_shown(&version.tag);
        }
        Err(gap) => return gap.into(),
    };
    let question = Question::Signature {
        digest: digest.clone(),
        namespace: tracked.application.id.namespace.clone(),
        key,
    };
    match inquiry.answer(question) {
        Ok(Answer::Signed) => Choice::Change(NewVersion {
            digest: Some(digest),
            ..version
        }),
        // Images are signed after they are pushed.
        Ok(Answer::Unsigned(reason)) => Choice::Failed(Failure {
            reason: reason.clone(),
            is_passing: true,
        }),
        Ok(other) => mismatched(other).into(),
        Err(gap) => gap.into(),
    }
}

/// What keeps a tracked image from being written, whatever is chosen.
fn obstacle(tracked: &TrackedImage) -> Option<String> {
    let hindrance = tracked.hindrance.as_ref().map(ToString::to_string);
    hindrance.or_else(|| tracked.outlet.as_ref().err().map(ToString::to_string))
}

fn with_remark(reason: String, remark: Option<String>) -> String {
    match remark {
        Some(remark) => format!("{reason} ({remark})"),
        None => reason,
    }
}
