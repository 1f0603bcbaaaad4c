//! Asking registries what a judgement misses.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::domain::queue::entry::Batch;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::question::Question;
use crate::ports::registry_client::RegistryClient;
use crate::ports::signature_verifier::SignatureVerifier;
use crate::ports::signature_verifier::VerifyError;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// What is to be asked, by whose access.
pub(super) type Questions = BTreeMap<Access, BTreeSet<Question>>;
/// What came of it.
pub(super) type Learned = Vec<(Access, Question, Result<Answer, Failure>)>;

/// One of so many places is kept free of looks.
const KEPT_FREE: usize = 4;

/// Those who know what registries hold.
pub struct Registry {
    client: Arc<dyn RegistryClient>,
    verifier: Arc<dyn SignatureVerifier>,
    places: Semaphore,
    /// Those of them that looks may take: a look at thousands of builds is not to hold up a delivery.
    for_looks: Semaphore,
    watcher: Option<Arc<dyn WorkWatcher>>,
}

impl Registry {
    /// Asks so many questions at once at the most, whoever asks them.
    #[must_use]
    pub fn new(
        client: Arc<dyn RegistryClient>,
        verifier: Arc<dyn SignatureVerifier>,
        at_once: NonZeroUsize,
    ) -> Self {
        let places = at_once.get().min(Semaphore::MAX_PERMITS);
        Self {
            client,
            verifier,
            places: Semaphore::new(places),
            for_looks: Semaphore::new(places - places / KEPT_FREE),
            watcher: None,
        }
    }

    /// Has somebody watch how long questions take.
    #[must_use]
    pub fn watched_by(self, watcher: Arc<dyn WorkWatcher>) -> Self {
        let watcher = Some(watcher);
        Self { watcher, ..self }
    }

    /// Asks all questions about a batch. Every one gets an answer, or the reason why there is none.
    pub(super) async fn answers(&self, questions: Questions, batch: &Batch) -> Learned {
        let (began, for_look) = (Instant::now(), batch.events.is_empty());
        let one = async |access: Access, question: Question| {
            // The semaphores are never closed.
            let _of_looks = if for_look {
                Some(self.for_looks.acquire().await)
            } else {
                None
            };
            let _place = self.places.acquire().await;
            let answer = self.answer(&access, &question).await;
            (access, question, answer)
        };
        let all = each(questions).map(|(access, question)| one(access, question));
        let learned: Learned = join_all(all).await;
        if let Some(watcher) = &self.watcher {
            watcher.stepped(Stepped {
                step: Step::Ask,
                image: &batch.image,
                events: &batch.events,
                took: began.elapsed(),
                failed: learned.iter().any(|(_, _, answer)| answer.is_err()),
            });
        }
        learned
    }

    async fn answer(&self, access: &Access, question: &Question) -> Result<Answer, Failure> {
        match question {
            Question::Tags => Ok(Answer::Tags(self.client.tags(access).await?)),
            Question::Digest(tag) => Ok(Answer::Digest(self.client.digest(access, tag).await?)),
            Question::Build(question) => {
                Ok(Answer::Build(self.client.build(access, question).await?))
            }
            Question::Signature {
                digest,
                namespace,
                key,
            } => match self.verifier.verify(access, digest, namespace, key).await {
                Ok(()) => Ok(Answer::Signed),
                Err(VerifyError::Unsigned(reason)) => Ok(Answer::Unsigned(reason)),
                Err(
                    error @ (VerifyError::Key(_)
                    | VerifyError::Registry(_)
                    | VerifyError::KeyUnavailable(_)),
                ) => Err(error.into()),
            },
        }
    }
}

/// The answer to questions that nobody could answer, as whoever was asked has failed itself.
pub(super) fn unanswered(questions: Questions) -> Learned {
    let failure = || Failure {
        reason: "asking the registry failed by a mistake in this program: please report it"
            .to_owned(),
        is_passing: true,
    };
    each(questions)
        .map(|(access, question)| (access, question, Err(failure())))
        .collect()
}

/// Every question with its access.
fn each(questions: Questions) -> impl Iterator<Item = (Access, Question)> {
    questions.into_iter().flat_map(|(access, questions)| {
        let asked = move |question| (access.clone(), question);
        questions.into_iter().map(asked)
    })
}
