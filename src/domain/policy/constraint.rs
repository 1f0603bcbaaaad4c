//! Version constraints, in the language of [Masterminds/semver](https://github.com/Masterminds/semver/tree/v3.4.0#checking-version-constraints)
//! v3.4.0, which is what people know from Helm.
//!
//! Groups separated by `||`, of which one must hold; a group is comparisons separated by commas or blanks, all of which must hold. A
//! comparison is an operator (`=`, `!=`, `>`, `<`, `>=`, `<=`, `~`, `^`, or none) and a version in which trailing parts may be wildcards
//! (`x`, `X`, `*`) or missing. `A - B` is `>=A, <=B`.
//!
//! A pre-release satisfies no group in which no comparison has a pre-release itself; the idiom for "pre-releases too" is to append `-0`.
//!
//! Four corners differ from the original, which finds ranges by an expression over the whole text:
//! * `1||2 - 3` means what it says; the original reads `>=1 || 2, <=3`, and refuses `1 ||2 - 3`.
//! * A range may follow another comparison without a comma.
//! * A range is not glued to what follows it: `1 - 2>=1.5` is refused.
//! * A number of a pre-release may exceed 64 bits; there the original compares texts.

mod comparison;
mod parser;

use std::fmt;

use thiserror::Error;

use crate::domain::policy::version::Version;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made and checked with the Go module github.com/Masterminds/semver/v3@v3.4.0 itself, see the head of the file.
    const TABLE: &str = include_str!("../../../tests/fixtures/constraints/masterminds-3.4.0.tsv");

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is no version"))
    }

    fn constraint(text: &str) -> Constraint {
        Constraint::parse(text).unwrap()
    }

    fn check_row(text: &str, row: &[&str]) -> usize {
        if row == ["error"] {
            assert!(Constraint::parse(text).is_err(), "{text:?}");
            return 1;
        }
        let [satisfied_by, not_by] = row else {
            panic!("{text:?} has {} columns", row.len());
        };
        let constraint = constraint(text);
        let versions = |column: &str| {
            let column = column.to_owned();
            column
                .split(' ')
                .filter(|v| *v != "-")
                .map(version)
                .collect::<Vec<_>>()
        };
        let (yes, no) = (versions(satisfied_by), versions(not_by));
        for version in &yes {
            assert!(constraint.matches(version), "{version} satisfies {text:?}");
        }
        for version in &no {
            assert!(
                !constraint.matches(version),
                "{version} does not satisfy {text:?}"
            );
        }
        yes.len() + no.len()
    }

    #[test]
    fn verdicts_are_those_of_masterminds() {
        let rows = TABLE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let checked: usize = rows
            .map(|line| {
                let mut columns = line.split('\t');
                let text = columns.next().unwrap();
                check_row(text, &columns.collect::<Vec<_>>())
            })
            .sum();
        assert!(checked > 7000, "{checked} verdicts");
    }

    #[test]
    fn other_blanks_than_spaces_separate_too() {
        let both = constraint(">=\t1.2\r\n<2\x0c,\t!=1.5.0");
        assert!(both.matches(&version("1.4.0")));
        assert!(!both.matches(&version("1.5.0")));
        assert!(Constraint::parse("1.2\u{a0}").is_err());
    }

    /// The four corners of the module's documentation.
    #[test]
    fn differences_from_masterminds() {
        assert!(!constraint("1||2 - 3").matches(&version("5.0.0")));
        assert!(constraint("1||2 - 3").matches(&version("2.5.0")));
        assert!(constraint("!=1.5.0 1 - 2").matches(&version("1.6.0")));
        assert!(Constraint::parse("1 - 2>=1.5").is_err());
        let numbers = constraint(">1.0.0-99999999999999999999");
        assert!(numbers.matches(&version("1.0.0-100000000000000000000")));
    }

    #[test]
    fn an_error_names_the_part() {
        for (text, part) in [
            (">=1.0, latest", "latest"),
            (">=1.0 || >", ">"),
            ("1 - next", "next"),
            ("1.2, ", " "),
        ] {
            let error = Constraint::parse(text).unwrap_err();
            assert_eq!(error.part, part, "{text}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    fn plain() -> impl Strategy<Value = String> {
        (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(a, b, c)| format!("{a}.{b}.{c}"))
    }

    fn any_version() -> impl Strategy<Value = String> {
        (plain(), prop::option::of("[0-2a-b]"))
            .prop_map(|(v, pre)| pre.map_or(v.clone(), |pre| format!("{v}-{pre}")))
    }

    fn any_comparison() -> impl Strategy<Value = String> {
        let operator = prop::sample::select(vec!["", "=", "!=", ">", "<", ">=", "<=", "~", "^"]);
        let given = prop_oneof!["[0-3x]", "[0-3]\\.[0-3x]", any_version()];
        (operator, given).prop_map(|(operator, given)| format!("{operator}{given}"))
    }

    fn holds(text: &str, version: &Version) -> bool {
        constraint(text).matches(version)
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*", likely in "[0-3vxX*|,. =!<>~^+a-]{0,20}", version in "\\PC*") {
            for text in [text, likely] {
                if let (Ok(constraint), Some(version)) = (Constraint::parse(&text), Version::parse(&version)) {
                    let _ = constraint.matches(&version);
                }
            }
        }

        #[test]
        fn a_whole_version_is_compared_by_precedence(v in any_version(), c in plain()) {
            // The second of two terms that always holds lets pre-releases in.
            let version = version(&v);
            let order = version.precedence(&self::version(&c));
            let judged = |operator: &str| holds(&format!("{operator}{c} >=0-0"), &version);
            prop_assert_eq!(judged("="), order.is_eq());
            prop_assert_eq!(judged(""), order.is_eq());
            prop_assert_eq!(judged("!="), order.is_ne());
            prop_assert_eq!(judged(">"), order.is_gt());
            prop_assert_eq!(judged("<"), order.is_lt());
            prop_assert_eq!(judged(">="), order.is_ge());
            prop_assert_eq!(judged("<="), order.is_le());
        }

        #[test]
        fn every_whole_version_satisfies_itself(v in any_version()) {
            for operator in ["", "=", ">=", "=>", "<=", "=<", "~", "~>", "^"] {
                prop_assert!(holds(&format!("{operator}{v}"), &version(&v)), "{operator}{v}");
            }
        }

        #[test]
        fn groups_are_alternatives(a in any_comparison(), b in any_comparison(), v in any_version()) {
            let version = version(&v);
            prop_assert_eq!(
                holds(&format!("{a} || {b}"), &version),
                holds(&a, &version) || holds(&b, &version)
            );
        }

        #[test]
        fn all_of_a_group_must_hold(a in any_comparison(), b in any_comparison(), v in plain()) {
            let version = version(&v);
            let both = holds(&a, &version) && holds(&b, &version);
            for separator in [" ", ",", ", ", " , "] {
                prop_assert_eq!(holds(&format!("{a}{separator}{b}"), &version), both);
            }
        }

        #[test]
        fn a_range_is_two_comparisons(a in any_version(), b in any_version(), v in any_version()) {
            let version = version(&v);
            prop_assert_eq!(
                holds(&format!("{a} - {b}"), &version),
                holds(&format!(">={a}, <={b}"), &version)
            );
        }

        #[test]
        fn a_pre_release_needs_one_in_the_constraint(c in plain(), v in plain(), pre in "[0-9a-z]{1,3}") {
            prop_assume!(Version::parse(&format!("{v}-{pre}")).is_some());
            let version = version(&format!("{v}-{pre}"));
            for operator in ["", "!=", ">", "<", ">=", "<=", "~", "^"] {
                let text = format!("{operator}{c}");
                prop_assert!(!holds(&text, &version), "{}", text);
            }
        }
    }
}
