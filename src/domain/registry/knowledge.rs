//! What registries answered while one decision was made.

use std::collections::HashMap;

use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::question::Question;

/// Answers by what was asked. It belongs to one decision: what was true for the last one may be no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knowledge {
    answers: HashMap<Access, HashMap<Question, Result<Answer, Failure>>>,
}

impl Knowledge {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up an answer, or why there is none.
    pub fn learn(&mut self, access: Access, question: Question, answer: Result<Answer, Failure>) {
        self.answers
            .entry(access)
            .or_default()
            .insert(question, answer);
    }

    /// The answer to a question; `None` where it was not asked.
    #[must_use]
    pub fn of(&self, access: &Access, question: &Question) -> Option<&Result<Answer, Failure>> {
        self.answers.get(access)?.get(question)
    }

    /// Whether any question got no answer.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.answers
            .values()
            .any(|answers| answers.values().any(Result::is_err))
    }
}
