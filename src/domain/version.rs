//! Versions as people write them in tags.

use std::cmp::Ordering;
use std::fmt;

use semver::{BuildMetadata, Prerelease};

/// A version: `[v]major[.minor[.patch]][-prerelease][+build]`. What is missing is 0 and leading zeros do not count, so `v1.07` is 1.7.0.
///
/// Versions are ordered by the precedence of [Semantic Versioning](https://semver.org/#spec-item-11), which ignores build metadata. Two
/// of equal precedence are ordered by their texts, byte by byte, so that the order is total: `1.0` < `1.0.0` < `v1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    text: String,
    number: semver::Version,
}

impl Version {
    /// Parses a text as a version; `None` where it is none. Only a lower-case `v` may stand before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, build) = split(text.strip_prefix('v').unwrap_or(text), '+');
        let (numbers, prerelease) = split(rest, '-');
        let mut parts = numbers.split('.');
        let major = number(parts.next()?)?;
        let minor = parts.next().map_or(Some(0), number)?;
        let patch = parts.next().map_or(Some(0), number)?;
        if parts.next().is_some() {
            return None;
        }
        // Build metadata is checked and then dropped: it takes no part in any comparison.
        if let Some(build) = build {
            BuildMetadata::new(build).ok().filter(|b| !b.is_empty())?;
        }
        let pre = match prerelease {
            Some(text) => Prerelease::new(text).ok().filter(|p| !p.is_empty())?,
            None => Prerelease::EMPTY,
        };
        Some(Self {
            text: text.to_owned(),
            number: semver::Version {
                pre,
                ..semver::Version::new(major, minor, patch)
            },
        })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Compares by precedence alone: `v1.0` equals `1.0.0`.
    #[must_use]
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.number.cmp_precedence(&other.number)
    }

    /// Whether this is a pre-release, such as `1.2.0-rc1`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.number.pre.is_empty()
    }

    /// The padded version.
    pub(super) fn number(&self) -> &semver::Version {
        &self.number
    }
}

/// Splits at the first separator, if there is one.
fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Digits only: `u64::from_str` would take a sign. `None` on overflow, too.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other)
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
