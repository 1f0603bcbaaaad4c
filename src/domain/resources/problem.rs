//! What is wrong with an ImageUpdater or an Application, for the people who wrote it.

use std::fmt;

use crate::domain::resources::resource::ResourceId;

/// One thing that is wrong. It never stops what has nothing to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Problem {
    /// The kind of object it is about.
    pub kind: ResourceKind,
    /// The object.
    pub about: ResourceId,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// An `ImageUpdater`.
    ImageUpdater,
    /// An `Application`.
    Application,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something is ignored or not as it seems.
    Warning,
    /// Something that was asked for cannot be done.
    Error,
}

/// Something that is wrong, before it is known in which object it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Finding {
    /// A warning.
    #[must_use]
    pub fn warning(message: String) -> Self {
        Self {
            severity: Severity::Warning,
            message,
        }
    }

    /// An error.
    #[must_use]
    pub fn error(message: String) -> Self {
        Self {
            severity: Severity::Error,
            message,
        }
    }

    /// The same, said of a part of the object.
    #[must_use]
    pub fn within(self, part: impl fmt::Display) -> Self {
        Self {
            message: format!("{part}: {}", self.message),
            ..self
        }
    }

    /// The problem that it is for an object.
    #[must_use]
    pub fn about(self, kind: ResourceKind, id: &ResourceId) -> Problem {
        Problem {
            kind,
            about: id.clone(),
            severity: self.severity,
            message: self.message,
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ImageUpdater => "ImageUpdater",
            Self::Application => "Application",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.about, self.message)
    }
}
