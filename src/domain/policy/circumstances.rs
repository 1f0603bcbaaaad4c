//! What a policy's verdict depends on, besides tags.

use crate::domain::policy::Choice;
use crate::domain::policy::Current;
use crate::domain::registry::inquiry::Gap;

/// What is so while a decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Everything that is in use.
    pub current: &'a [Current],
    /// Whether no version is ever lowered.
    pub never_downgrade: bool,
    /// Whether a tag that the registry does not show counts as not being there. A registry may show a tag a while after it told of it.
    pub is_last_try: bool,
}

impl From<Gap> for Choice {
    fn from(gap: Gap) -> Self {
        match gap {
            Gap::Open => Self::Open,
            Gap::Failed(failure) => Self::Failed(failure),
        }
    }
}
