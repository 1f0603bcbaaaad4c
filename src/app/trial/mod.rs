//! Trying out what an image would be updated to: the same decision as the real one, with nothing in use.

pub mod json;
pub mod text;

use futures_util::StreamExt as _;
use futures_util::stream;
use thiserror::Error;

use crate::domain::policy::Choice;
use crate::domain::policy::NewVersion;
use crate::domain::policy::Policy;
use crate::domain::policy::PolicyError;
use crate::domain::policy::PolicyRules;
use crate::domain::policy::Strategy;
use crate::domain::policy::circumstances::Circumstances;
use crate::domain::policy::survey::Survey;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::registry::question::Question;
use crate::ports::registry_client::RegistryClient;

/// How many questions are asked at once. The client spaces requests out by itself.
const AT_ONCE: usize = 16;

/// What an image would be updated to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The image.
    pub image: ImageName,
    /// How the best tag is told.
    pub strategy: Strategy,
    /// The constraint, where one is given.
    pub constraint: Option<String>,
    /// What would be run; `None`: no tag can be chosen.
    pub chosen: Option<NewVersion>,
    /// Why.
    pub reason: String,
    /// All tags that were looked at.
    pub survey: Survey,
    /// What people should know besides.
    pub notes: Vec<String>,
}

impl Verdict {
    /// What would be run, in full.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let NewVersion { tag, digest } = self.chosen.as_ref()?;
        let digest = digest.as_ref().map(|digest| format!("@{digest}"));
        Some(format!(
            "{}:{tag}{}",
            self.image,
            digest.unwrap_or_default()
        ))
    }
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrialError {
    /// The rules make no sense.
    #[error("{}", in_flags(.0))]
    Rules(#[from] PolicyError),
    /// What describes registries cannot be used.
    #[error("{0}")]
    Description(String),
    /// The registry gives no answer to decide by.
    #[error("{0}")]
    Registry(String),
}

/// The domain speaks of where a constraint stands in an ImageUpdater; here it is a flag.
fn in_flags(error: &PolicyError) -> String {
    match error {
        PolicyError::Constraint(error) => format!("--semver-constraint: {error}"),
        PolicyError::DigestWithoutTag => {
            "strategy digest needs a tag to follow: give it by --semver-constraint, such as --semver-constraint latest".to_owned()
        }
        PolicyError::DigestOfNoTag(text) => {
            format!("strategy digest follows one tag, and {text:?} is none: give a tag by --semver-constraint")
        }
    }
}

/// Asks a registry what an image would be updated to.
///
/// # Errors
/// [`TrialError`].
pub async fn try_out(
    access: Access,
    rules: &PolicyRules<'_>,
    client: &dyn RegistryClient,
) -> Result<Verdict, TrialError> {
    let (policy, mut notes) = Policy::parse(rules)?;
    notes.extend(unused_constraint(&policy));
    let mut knowledge = Knowledge::new();
    let (choice, remark) = loop {
        let mut inquiry = Inquiry::new(access.clone(), &knowledge);
        let choice = policy.look(NOTHING_IN_USE, &mut inquiry);
        let ended = inquiry.end();
        if ended.open.is_empty() {
            break (choice, ended.remark);
        }
        for (question, answer) in answers(ended.open, &access, client).await {
            knowledge.learn(access.clone(), question, answer);
        }
    };
    notes.extend(remark);
    let survey = policy.survey(&access, &knowledge);
    let (chosen, reason) = match choice {
        Choice::Change(version) => (Some(version), why(&policy, &survey)),
        Choice::Unchanged(reason) | Choice::Undecided(reason) => (None, reason),
        Choice::Failed(failure) => return Err(TrialError::Registry(failure.reason)),
        Choice::Open => {
            let bug = "the decision has a bug: it waits for an answer that it did not ask for";
            return Err(TrialError::Registry(bug.to_owned()));
        }
    };
    Ok(Verdict {
        image: access.image,
        strategy: policy.strategy(),
        constraint: policy.constraint_text().map(str::to_owned),
        chosen,
        reason,
        survey,
        notes,
    })
}

/// A tag that the registry does not show is not waited for.
const NOTHING_IN_USE: Circumstances<'static> = Circumstances {
    current: &[],
    never_downgrade: false,
    is_last_try: true,
};

fn unused_constraint(policy: &Policy) -> Option<String> {
    let text = policy.constraint_text()?;
    match policy.strategy() {
        Strategy::Semver | Strategy::Digest => None,
        strategy @ (Strategy::NewestBuild | Strategy::Alphabetical) => Some(format!(
            "the constraint {text} does not count: strategy {strategy} has none"
        )),
    }
}

fn why(policy: &Policy, survey: &Survey) -> String {
    let count = survey.candidates.len();
    let of = match count {
        1 => "the only candidate".to_owned(),
        _ => format!("the best of {count} candidates"),
    };
    match policy.strategy() {
        Strategy::Semver => format!("it is {of}, by version"),
        Strategy::NewestBuild => format!("it is {of}, by when it was built"),
        Strategy::Alphabetical => format!("it is {of}, by name"),
        Strategy::Digest => {
            "it is the tag to follow, with the digest that it points at now".to_owned()
        }
    }
}

async fn answers(
    questions: impl IntoIterator<Item = Question>,
    access: &Access,
    client: &dyn RegistryClient,
) -> Vec<(Question, Result<Answer, Failure>)> {
    let asked = questions.into_iter().map(async |question| {
        let answer = answer(&question, access, client).await;
        (question, answer)
    });
    stream::iter(asked)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn answer(
    question: &Question,
    access: &Access,
    client: &dyn RegistryClient,
) -> Result<Answer, Failure> {
    Ok(match question {
        Question::Tags => Answer::Tags(client.tags(access).await?),
        Question::Digest(tag) => Answer::Digest(client.digest(access, tag).await?),
        Question::Build(question) => Answer::Build(client.build(access, question).await?),
        Question::Signature { .. } => {
            return Err(Failure {
                reason: "signatures are not looked at here".to_owned(),
                is_passing: false,
            });
        }
    })
}

#[cfg(test)]
mod tests;
