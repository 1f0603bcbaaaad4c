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
        let (numbers, pre) = split_suffixes(text)?;
        let mut parts = numbers.split('.');
        let major = number(parts.next()?)?;
        let minor = parts.next().map_or(Some(0), number)?;
        let patch = parts.next().map_or(Some(0), number)?;
        if parts.next().is_some() {
            return None;
        }
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

/// Splits `[v]numbers[-prerelease][+build]` into numbers and pre-release. Build metadata is checked and dropped, as it takes no part in
/// any comparison.
pub(super) fn split_suffixes(text: &str) -> Option<(&str, Prerelease)> {
    let (rest, build) = split(text.strip_prefix('v').unwrap_or(text), '+');
    if let Some(build) = build {
        BuildMetadata::new(build).ok().filter(|b| !b.is_empty())?;
    }
    let (numbers, pre) = split(rest, '-');
    let pre = match pre {
        Some(text) => Prerelease::new(text).ok().filter(|p| !p.is_empty())?,
        None => Prerelease::EMPTY,
    };
    Some((numbers, pre))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is no version"))
    }

    #[test]
    fn loose_versions_are_padded() {
        for (text, padded) in [
            ("1", "1.0.0"),
            ("v1.2", "1.2.0"),
            ("1.2.3", "1.2.3"),
            ("01.002.0003", "1.2.3"),
            ("2-rc.1", "2.0.0-rc.1"),
            ("v1.2-alpine", "1.2.0-alpine"),
            ("1.2.3-a-b+build-7", "1.2.3-a-b"),
            ("1.2.3+build-7", "1.2.3"),
            ("1.2.3--", "1.2.3--"),
            ("20240115", "20240115.0.0"),
            ("18446744073709551615.0", "18446744073709551615.0.0"),
        ] {
            assert_eq!(version(text).number().to_string(), padded, "{text}");
            assert_eq!(version(text).as_str(), text);
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "v",
            "V1",
            "vv1",
            "latest",
            "1.",
            ".1",
            "1..2",
            "1.2.3.4",
            "1.x",
            "+1",
            "-1",
            "1.+2",
            "1.-2",
            "1-",
            "1+",
            "1-+a",
            "1-a..b",
            "1-a.",
            "1-01",
            "1-a.00",
            "1-a_b",
            "1-ä",
            "1+a_b",
            "1+a+b",
            " 1",
            "1 ",
            "1.2.3\n",
            "１",
            "18446744073709551616",
            "1.18446744073709551616",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_order_is_that_of_semantic_versioning_then_of_texts() {
        // Ascending; the pre-releases are the example of the specification.
        let ascending = [
            "0.9.10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1",
            "1.0",
            "1.0.0",
            "1.0.0+b",
            "v1.0",
            "1.0.1",
            "1.2",
            "1.10",
            "2.0.0-0",
            "2",
        ];
        for pair in ascending.windows(2) {
            let [lower, higher] = pair else {
                panic!("a pair")
            };
            assert!(version(lower) < version(higher), "{lower} < {higher}");
        }
        assert_eq!(
            version("v1.0").precedence(&version("1.0.0+b")),
            Ordering::Equal
        );
    }

    fn loose() -> impl Strategy<Value = String> {
        "v?[0-2]{1,2}(\\.[0-2]){0,2}(-[0-2a-b]{1,2}(\\.[0-2a-b])?)?(\\+[a-b])?"
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*", likely in "v?[0-9.+a-]{0,30}") {
            for text in [text, likely] {
                if let Some(version) = Version::parse(&text) {
                    prop_assert_eq!(version.to_string(), text);
                }
            }
        }

        #[test]
        fn every_strict_version_is_one_and_keeps_its_precedence(major: u64, minor: u64, patch: u64) {
            let text = format!("{major}.{minor}.{patch}");
            let strict: semver::Version = text.parse().unwrap();
            prop_assert_eq!(version(&text).number().clone(), strict);
        }

        #[test]
        fn the_order_is_total(a in loose(), b in loose(), c in loose()) {
            let parsed: Vec<_> = [a, b, c].iter().filter_map(|text| Version::parse(text)).collect();
            let [a, b, c] = parsed.as_slice() else { return Ok(()) };
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            prop_assert_eq!(a.cmp(b).is_eq(), a == b);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
