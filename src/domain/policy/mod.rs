//! Which version of one tracked image is wanted.
//!
//! A policy judges against what is in use, in one of three ways:
//! * [`Policy::choose`] judges what an authenticated event announced by the event alone. It changes something only where that is a step
//!   forward, and never goes back.
//! * [`Policy::confirm`] does the same, and has the registry confirm what was chosen.
//! * [`Policy::look`] judges what the registry lists. It goes back only where the policy excludes what is in use by now, or where the registry
//!   no longer has it.

mod build_age;
mod choosing;
pub mod circumstances;
pub(super) mod confirming;
pub mod constraint;
pub mod glob;
mod looking;
mod newest_listed;
mod newest_pushed;
pub mod survey;
pub mod tag_filter;
pub mod version;

use std::fmt;

use thiserror::Error;

use crate::domain::policy::constraint::{Constraint, ConstraintError};
use crate::domain::policy::tag_filter::TagFilter;
use crate::domain::reference::{Digest, Tag};
use crate::domain::registry::answer::Failure;
use crate::domain::registry::platform::Platforms;

/// How the best of several tags is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// The highest version that satisfies the constraint.
    Semver,
    /// The tag that was built last; a constraint does not count.
    NewestBuild,
    /// The last tag in byte order; a constraint does not count.
    Alphabetical,
    /// The one tag that is the constraint, whatever it points at.
    Digest,
}

/// What an ImageUpdater says of one image, with everything inherited.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyRules<'a> {
    /// `updateStrategy`.
    pub strategy: Option<&'a str>,
    /// What stands after the colon of `imageName`.
    pub constraint: Option<&'a str>,
    /// `allowTags`.
    pub allow_tags: Option<&'a str>,
    /// `ignoreTags`.
    pub ignore_tags: &'a [String],
    /// `platforms`.
    pub platforms: &'a [String],
}

/// Why rules make no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The constraint makes no sense.
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
    /// Strategy `digest` follows one tag, and none is given.
    #[error(
        "strategy digest needs a tag to follow: write it after the image's name, such as \"nginx:latest\""
    )]
    DigestWithoutTag,
    /// Strategy `digest` follows one tag, and this is none.
    #[error(
        "strategy digest follows one tag, and {0:?} is none: write a tag after the image's name, such as \"nginx:latest\""
    )]
    DigestOfNoTag(String),
}

/// The rules for one tracked image.
#[derive(Debug, Clone)]
pub struct Policy {
    rule: Rule,
    filter: TagFilter,
    constraint_text: Option<String>,
    platforms: Platforms,
}

/// A strategy with what it needs.
#[derive(Debug, Clone)]
enum Rule {
    Semver(Constraint),
    NewestBuild,
    Alphabetical,
    Digest(Tag),
}

/// A tag that was just pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The tag.
    pub tag: Tag,
    /// What it points at, where the sender says so.
    pub digest: Option<Digest>,
}

/// What is in use in one place: one for what an Application's spec says, and one for each of its live images of that name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Current {
    /// The tag as it is written there, which may be no valid tag.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<Digest>,
}

/// A policy's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This is to be run. An Application's spec may say so already, where only what is live is behind.
    Change(NewVersion),
    /// What is in use stays. The reason is for people.
    Unchanged(String),
    /// It takes something that is not known; what is in use stays. The reason is for people.
    Undecided(String),
    /// Questions are open: it is to be asked again when they are answered.
    Open,
    /// The registry gives no answer to decide by, or does not show yet what was pushed; what is in use stays.
    Failed(Failure),
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The tag.
    pub tag: Tag,
    /// The digest, where the strategy pins one.
    pub digest: Option<Digest>,
}

impl Strategy {
    /// Parses a strategy's name in any case; absent is `semver`, and so is an unknown name. A warning is for people.
    #[must_use]
    pub fn parse(text: Option<&str>) -> (Self, Option<String>) {
        let name = text.unwrap_or_default().trim();
        match name.to_ascii_lowercase().as_str() {
            "" | "semver" => (Self::Semver, None),
            "newest-build" => (Self::NewestBuild, None),
            "alphabetical" => (Self::Alphabetical, None),
            "digest" => (Self::Digest, None),
            "latest" => (Self::NewestBuild, Some(renamed(name, Self::NewestBuild))),
            "name" => (Self::Alphabetical, Some(renamed(name, Self::Alphabetical))),
            _ => (
                Self::Semver,
                Some(format!(
                    "unknown updateStrategy {name:?}, semver is used: give semver, newest-build, alphabetical or digest"
                )),
            ),
        }
    }
}

fn renamed(old: &str, new: Strategy) -> String {
    format!("updateStrategy {old:?} is the old name of {new}: write \"{new}\"")
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Semver => "semver",
            Self::NewestBuild => "newest-build",
            Self::Alphabetical => "alphabetical",
            Self::Digest => "digest",
        })
    }
}

impl Policy {
    /// Parses rules. What is odd in them and does not stop them is answered as warnings, for people.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(rules: &PolicyRules<'_>) -> Result<(Self, Vec<String>), PolicyError> {
        let (strategy, warning) = Strategy::parse(rules.strategy);
        let (filter, mut warnings) = TagFilter::parse(rules.allow_tags, rules.ignore_tags);
        warnings.extend(warning);
        // Without platforms the Go program takes that of its own machine, which says nothing about the cluster's.
        let (platforms, malformed) = Platforms::parse(rules.platforms);
        warnings.extend(malformed.into_iter().map(|text| {
            format!(
                "platforms {text:?} is none: give os/arch or os/arch/variant, such as linux/arm64"
            )
        }));
        let constraint = rules.constraint.filter(|text| !text.is_empty());
        let policy = Self {
            rule: Rule::parse(strategy, constraint)?,
            filter,
            constraint_text: constraint.map(str::to_owned),
            platforms,
        };
        Ok((policy, warnings))
    }

    /// Its strategy.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        match self.rule {
            Rule::Semver(_) => Strategy::Semver,
            Rule::NewestBuild => Strategy::NewestBuild,
            Rule::Alphabetical => Strategy::Alphabetical,
            Rule::Digest(_) => Strategy::Digest,
        }
    }

    /// The constraint as it was written, whether or not the strategy looks at it.
    #[must_use]
    pub fn constraint_text(&self) -> Option<&str> {
        self.constraint_text.as_deref()
    }
}

impl Rule {
    fn parse(strategy: Strategy, constraint: Option<&str>) -> Result<Self, PolicyError> {
        Ok(match strategy {
            Strategy::Semver => Self::Semver(Constraint::parse(constraint.unwrap_or("*"))?),
            Strategy::NewestBuild => Self::NewestBuild,
            Strategy::Alphabetical => Self::Alphabetical,
            Strategy::Digest => {
                let text = constraint.ok_or(PolicyError::DigestWithoutTag)?;
                let tag =
                    Tag::parse(text).map_err(|_| PolicyError::DigestOfNoTag(text.to_owned()))?;
                Self::Digest(tag)
            }
        })
    }
}

#[cfg(test)]
mod registry_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(
        strategy: Option<&str>,
        constraint: Option<&str>,
    ) -> Result<(Policy, Vec<String>), PolicyError> {
        Policy::parse(&PolicyRules {
            strategy,
            constraint,
            ..PolicyRules::default()
        })
    }

    #[test]
    fn strategies_have_names_in_any_case() {
        for (name, strategy, warns) in [
            (None, Strategy::Semver, false),
            (Some(""), Strategy::Semver, false),
            (Some("semver"), Strategy::Semver, false),
            (Some("SemVer"), Strategy::Semver, false),
            (Some("Newest-Build"), Strategy::NewestBuild, false),
            (Some("alphabetical"), Strategy::Alphabetical, false),
            (Some("DIGEST"), Strategy::Digest, false),
            (Some("latest"), Strategy::NewestBuild, true),
            (Some("name"), Strategy::Alphabetical, true),
            (Some("newest"), Strategy::Semver, true),
        ] {
            let (parsed, warning) = Strategy::parse(name);
            assert_eq!(parsed, strategy, "{name:?}");
            assert_eq!(warning.is_some(), warns, "{warning:?}");
            let constraint = (strategy == Strategy::Digest).then_some("1.2");
            let (policy, warnings) = parse(name, constraint).unwrap();
            assert_eq!(policy.strategy(), strategy);
            assert_eq!(policy.constraint_text(), constraint);
            assert_eq!(warnings.len(), usize::from(warns));
        }
        assert_eq!(
            Strategy::parse(Some(&Strategy::NewestBuild.to_string())).0,
            Strategy::NewestBuild
        );
    }

    #[test]
    fn an_old_name_is_told_the_new_one() {
        let (_, warnings) = parse(Some("Latest"), None).unwrap();
        assert!(
            warnings
                .iter()
                .all(|text| text.contains("\"newest-build\"")),
            "{warnings:?}"
        );
        let (_, warnings) = parse(Some("sevmer"), None).unwrap();
        assert!(
            warnings
                .iter()
                .all(|text| text.contains("sevmer") && text.contains("alphabetical")),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_constraint_counts_where_the_strategy_reads_it() {
        assert!(matches!(
            parse(None, Some("latest")),
            Err(PolicyError::Constraint(_))
        ));
        assert!(parse(Some("newest-build"), Some("latest")).is_ok());
        assert!(parse(Some("alphabetical"), Some("~~1")).is_ok());
        assert!(parse(Some("digest"), Some("latest")).is_ok());
        assert!(matches!(
            parse(Some("digest"), None),
            Err(PolicyError::DigestWithoutTag)
        ));
        assert!(matches!(
            parse(Some("digest"), Some("")),
            Err(PolicyError::DigestWithoutTag)
        ));
        assert!(
            matches!(parse(Some("digest"), Some("~1.2")), Err(PolicyError::DigestOfNoTag(text)) if text == "~1.2")
        );
    }

    #[test]
    fn odd_rules_warn() {
        let platforms = [
            "linux/amd64",
            " linux/arm/v7 ",
            "linux",
            "",
            "a/b/c/d",
            "linux/",
        ]
        .map(str::to_owned);
        let ignored = ["[".to_owned()];
        let (_, warnings) = Policy::parse(&PolicyRules {
            strategy: Some("name"),
            allow_tags: Some("all"),
            ignore_tags: &ignored,
            platforms: &platforms,
            ..PolicyRules::default()
        })
        .unwrap();
        assert_eq!(warnings.len(), 3 + 4, "{warnings:?}");
    }
}
