//! What there is to say about an ImageUpdater, whatever is pushed.

use crate::domain::tracking::tally::Tally;

/// What is known about an ImageUpdater: what it asks for, and what it gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The generation of its `spec` that this is about; `None` for an object in a file.
    pub generation: Option<i64>,
    /// What it tracks.
    pub tally: Tally,
    /// What is wrong with it, as far as it keeps something from being done.
    pub errors: Vec<String>,
    /// Whether so much is wrong that it takes no Application at all.
    pub is_unusable: bool,
    /// Whether it wants changes to be kept in git.
    pub asks_for_git: bool,
}
