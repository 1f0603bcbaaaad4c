//! Version constraints, in the language of [Masterminds/semver](https://github.com/Masterminds/semver/tree/v3.4.0#checking-version-constraints)
//! v3.4.0, which is what people know from Helm and Go.
//!
//! Groups separated by `||`, of which one must hold; a group is comparisons separated by commas or blanks, all of which must hold. A
//! comparison is an operator and a version in which trailing parts may be wildcards (`x`, `X`, `*`) or missing. `A - B` is `>=A, <=B`.
//!
//! A pre-release satisfies no group in which no comparison has a pre-release itself; the idiom for "pre-releases too" is to append `-0`.

mod comparison;
mod parser;

use std::fmt;

use thiserror::Error;

use super::version::Version;
use comparison::Comparison;

/// A version constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    text: String,
    groups: Vec<Group>,
}

/// Comparisons that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group(Vec<Comparison>);

/// Why a text is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no version constraint, because of {part:?}: give one such as \"~1.2\", \">=1.0, <2.0\" or \"1.x\""
)]
pub struct ConstraintError {
    /// The whole text.
    pub text: String,
    /// The part of it that makes no sense.
    pub part: String,
}

impl Constraint {
    /// Parses a constraint.
    ///
    /// # Errors
    /// [`ConstraintError`], which names the part that makes no sense.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        parser::groups(text)
            .map(|groups| Self {
                text: text.to_owned(),
                groups,
            })
            .map_err(|part| ConstraintError {
                text: text.to_owned(),
                part,
            })
    }

    /// Whether a version satisfies it.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| group.matches(version))
    }

    /// Whether there is a group that a pre-release may satisfy.
    #[must_use]
    pub fn admits_prereleases(&self) -> bool {
        self.groups.iter().any(Group::admits_prereleases)
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Group {
    fn matches(&self, version: &Version) -> bool {
        (!version.is_prerelease() || self.admits_prereleases())
            && self
                .0
                .iter()
                .all(|comparison| comparison.holds(version.number()))
    }

    fn admits_prereleases(&self) -> bool {
        self.0.iter().any(Comparison::has_prerelease)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
