//! What a commit to a git repository says.

use std::collections::BTreeMap;

/// The changes of one Application that one commit makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The name of the Application.
    pub app_name: String,
    /// The changes, in the order in which they were made.
    pub changes: Vec<CommitChange>,
}

/// An image that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitChange {
    /// Its name without a registry.
    pub image: String,
    /// The tag or digest that it had.
    pub old_tag: String,
    /// The tag or digest that it gets.
    pub new_tag: String,
    /// The labels that it was built with, where they are known.
    pub labels: BTreeMap<String, String>,
}
