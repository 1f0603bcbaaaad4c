//! Something wrong in the directory.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

/// Something in a file that is left out or ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1; 0 where it is about the file as a whole.
    pub line: usize,
    /// What is wrong, and what becomes of it.
    pub message: String,
}

impl Problem {
    pub(super) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            message: message.into(),
        }
    }

    /// The line, where it is about one.
    fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.message),
        }
    }
}

/// Logs each problem once when it comes and once when it goes. One of a file as a whole has no line.
pub(super) fn log_changes(before: &BTreeSet<Problem>, now: &BTreeSet<Problem>) {
    for problem in now.difference(before) {
        let (file, line) = (problem.file.display(), problem.line());
        tracing::warn!(%file, line, "{}", problem.message);
    }
    for problem in before.difference(now) {
        let (file, line) = (problem.file.display(), problem.line());
        tracing::info!(%file, line, "no longer: {}", problem.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_a_whole_file_has_no_line() {
        let whole = Problem::of_file(Path::new("a.yaml"), "it cannot be read");
        assert_eq!(whole.line(), None);
        assert_eq!(whole.to_string(), "a.yaml: it cannot be read");
        let one = Problem { line: 3, ..whole };
        assert_eq!(one.line(), Some(3));
        assert_eq!(one.to_string(), "a.yaml:3: it cannot be read");
    }
}
