//! What reading an object brought up.

use std::fmt;

use crate::adapters::wire::field_path::FieldPath;

/// The most that is told of one object.
const MAX_TOLD: usize = 20;

/// Everything that there is to say about an object that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it is invalid. With any of these there is no object.
    pub errors: Vec<Finding>,
    /// What is ignored in it.
    pub warnings: Vec<Finding>,
}

/// One thing to say about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field.
    pub path: FieldPath,
    /// What is wrong, and what is allowed.
    pub reason: String,
}

impl Findings {
    /// What to tell people: each finding, and before it what becomes of the object because of it, to be put behind the object's name. Of very
    /// many only the first.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let errors = self.errors.iter().map(|one| (" is left out", one));
        let warnings = self.warnings.iter().map(|one| ("", one));
        errors.chain(warnings).take(MAX_TOLD)
    }

    pub(super) fn error(&mut self, path: &FieldPath, reason: impl Into<String>) {
        self.errors.push(Finding {
            path: path.clone(),
            reason: reason.into(),
        });
    }

    pub(super) fn warn(&mut self, path: &FieldPath, reason: impl Into<String>) {
        self.warnings.push(Finding {
            path: path.clone(),
            reason: reason.into(),
        });
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.reason)
    }
}
