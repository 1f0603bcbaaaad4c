//! A decision's way of asking: what is known is answered, what is not is noted down to be asked.
//!
//! The domain does no I/O. A decision that misses an answer says what it misses; whoever makes it asks, and makes it again with what was
//! learned, until nothing is missed.

use std::collections::BTreeSet;

use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::access::Access;
use crate::domain::registry::answer::Answer;
use crate::domain::registry::answer::Build;
use crate::domain::registry::answer::Failure;
use crate::domain::registry::answer::TagList;
use crate::domain::registry::knowledge::Knowledge;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Question;

/// The questions of one tracked image.
#[derive(Debug)]
pub struct Inquiry<'k> {
    access: Access,
    knowledge: &'k Knowledge,
    open: BTreeSet<Question>,
    remarks: Vec<String>,
}

/// Why a decision cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// A question is open.
    Open,
    /// There is no answer.
    Failed(Failure),
}

impl<'k> Inquiry<'k> {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(access: Access, knowledge: &'k Knowledge) -> Self {
        Self {
            access,
            knowledge,
            open: BTreeSet::new(),
            remarks: Vec::new(),
        }
    }

    /// Which tags there are.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn tags(&mut self) -> Result<&'k TagList, Gap> {
        match self.answer(Question::Tags)? {
            Answer::Tags(tags) => Ok(tags),
            other => Err(mismatched(other)),
        }
    }

    /// What a tag points at now; `None` where there is no such tag.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn digest(&mut self, tag: &Tag) -> Result<Option<&'k Digest>, Gap> {
        match self.answer(Question::Digest(tag.clone()))? {
            Answer::Digest(digest) => Ok(digest.as_ref()),
            other => Err(mismatched(other)),
        }
    }

    /// What is known of a build; `None` where there is none.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn build(&mut self, question: BuildQuestion) -> Result<Option<&'k Build>, Gap> {
        match self.answer(Question::Build(question))? {
            Answer::Build(build) => Ok(build.as_ref()),
            other => Err(mismatched(other)),
        }
    }

    /// Any other question.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn answer(&mut self, question: Question) -> Result<&'k Answer, Gap> {
        match self.knowledge.of(&self.access, &question) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(failure)) => Err(Gap::Failed(failure.clone())),
            None => {
                self.open.insert(question);
                Err(Gap::Open)
            }
        }
    }

    /// Notes something that people are to be told with the outcome.
    pub fn remark(&mut self, text: String) {
        self.remarks.push(text);
    }

    /// Whether a question is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// What came of it.
    #[must_use]
    pub fn end(self) -> Ended {
        Ended {
            access: self.access,
            open: self.open,
            remark: (!self.remarks.is_empty()).then(|| self.remarks.join("; ")),
        }
    }
}

/// What came of an inquiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// With which access it was made.
    pub access: Access,
    /// What is to be asked.
    pub open: BTreeSet<Question>,
    /// What people are to be told with the outcome.
    pub remark: Option<String>,
}

/// Whoever answered mixed up two questions.
pub(in crate::domain) fn mismatched(answer: &Answer) -> Gap {
    Gap::Failed(Failure {
        reason: format!("the answer is to another question: {answer:?}"),
        is_passing: false,
    })
}
