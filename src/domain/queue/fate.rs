//! What became of events.

use std::fmt;

use crate::domain::delivery::DeliveryId;
use crate::domain::resources::resource::ResourceId;

/// What became of events that were worked on together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fate {
    /// They were worked on, with this in each Application that tracks and runs their image.
    Worked(Vec<ApplicationOutcome>),
    /// A newer delivery for the same tag took their place.
    Superseded(DeliveryId),
}

impl Fate {
    /// Whether something in it failed, so that it is worth while to have it delivered again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        match self {
            Self::Worked(outcomes) => outcomes
                .iter()
                .any(|outcome| outcome.outcome == ImageOutcome::Failed),
            Self::Superseded(_) => false,
        }
    }
}

/// What became of an image in one Application.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ApplicationOutcome {
    /// The Application.
    pub application: ResourceId,
    /// The image's alias; empty where it has none.
    pub alias: String,
    /// What became of it.
    pub outcome: ImageOutcome,
    /// From which version to which, or why.
    pub detail: String,
}

/// What became of an image, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageOutcome {
    /// It runs another version.
    Changed,
    /// It would, were this no dry run.
    DryRun,
    /// It stays, as it is to be.
    Unchanged,
    /// It stays, as it cannot be decided.
    Undecided,
    /// It stays, as something went wrong.
    Failed,
}

impl ImageOutcome {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Changed,
        Self::DryRun,
        Self::Unchanged,
        Self::Undecided,
        Self::Failed,
    ];

    /// Its name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::DryRun => "dry-run",
            Self::Unchanged => "unchanged",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for ImageOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
