//! What a registry answered.

use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::reference::Digest;
use crate::domain::reference::Tag;

/// An answer, of the kind of its question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The tags of a repository.
    Tags(TagList),
    /// What a tag points at; `None` where the registry answers that there is no such tag.
    Digest(Option<Digest>),
    /// A build; `None` where the registry answers that there is none.
    Build(Option<Build>),
    /// It is signed.
    Signed,
    /// It is not. The reason is for people.
    Unsigned(String),
}

/// The tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList {
    /// In the order in which the registry lists them.
    pub tags: Arc<[Tag]>,
    /// What that order means.
    pub order: TagOrder,
}

impl TagList {
    /// The same list, with tags that are newer than all that it has, the newest last.
    #[must_use]
    pub fn with_newer(&self, newer: &[Tag]) -> Self {
        let listed = self.tags.iter();
        let tags = match self.order {
            TagOrder::LatestFirst => newer.iter().rev().chain(listed).cloned().collect(),
            TagOrder::LatestLast | TagOrder::Unsorted => listed.chain(newer).cloned().collect(),
        };
        Self {
            tags,
            order: self.order,
        }
    }
}

/// What the order of a list of tags means: `tagsortmode` of `registries.conf`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TagOrder {
    /// Nothing.
    #[default]
    Unsorted,
    /// The newest build comes first.
    LatestFirst,
    /// The newest build comes last.
    LatestLast,
}

/// What is known of a manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The digest of the manifest or the index itself.
    pub digest: Digest,
    /// When it was built, of an index the newest of those for the platforms; `None` where it does not say.
    pub created: Option<SystemTime>,
    /// Whether it is for one of the platforms.
    pub is_for_platform: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason, for people.
    pub reason: String,
    /// Whether the same question may be answered a while later.
    pub is_passing: bool,
}
