//! The text of a constraint.

use semver::Version as Number;

use super::Group;
use super::comparison::{Comparison, Operator, Precision};
use crate::domain::policy::version::split_suffixes;

/// The longer of two operators that begin alike comes first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Parses groups separated by `||`; the error is the part that makes no sense.
pub(super) fn groups(text: &str) -> Result<Vec<Group>, String> {
    text.split("||")
        .map(|group| {
            let mut comparisons = Vec::new();
            for part in group.split(',') {
                comma_part(part, &mut comparisons)?;
            }
            Ok(Group(comparisons))
        })
        .collect()
}

/// Parses comparisons separated by blanks, at least one.
fn comma_part(part: &str, comparisons: &mut Vec<Comparison>) -> Result<(), String> {
    let words: Vec<&str> = part
        .split([' ', '\t', '\n', '\r', '\x0c'])
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return Err(part.to_owned());
    }
    let mut rest = words.as_slice();
    while let [word, after @ ..] = rest {
        rest = match (split_operator(word), after) {
            (_, ["-", upper, after @ ..]) => {
                comparisons.push(comparison(Operator::GreaterOrEqual, word)?);
                comparisons.push(comparison(Operator::LessOrEqual, upper)?);
                after
            }
            // Blanks may stand between an operator and its version.
            ((operator, ""), [version, after @ ..]) => {
                comparisons.push(comparison(operator, version)?);
                after
            }
            ((operator, version), after) => {
                let whole_word = |_| (*word).to_owned();
                comparisons.push(comparison(operator, version).map_err(whole_word)?);
                after
            }
        };
    }
    Ok(())
}

fn split_operator(word: &str) -> (Operator, &str) {
    OPERATORS
        .iter()
        .find_map(|(text, operator)| Some((*operator, word.strip_prefix(text)?)))
        .unwrap_or((Operator::Equal, word))
}

/// `[v]X[.X[.X]][-prerelease][+build]`, where `X` is digits or a wildcard.
fn comparison(operator: Operator, text: &str) -> Result<Comparison, String> {
    parse_version(text)
        .map(|(number, precision)| Comparison {
            operator,
            number,
            precision,
        })
        .ok_or_else(|| text.to_owned())
}

fn parse_version(text: &str) -> Option<(Number, Precision)> {
    let (numbers, pre) = split_suffixes(text)?;
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 3 || !parts.iter().copied().all(is_part) {
        return None;
    }
    // What follows a wildcard does not count, whatever it is.
    let mut given = parts.iter().take_while(|part| !is_wildcard(part));
    let mut next = || {
        given
            .next()
            .map(|digits| digits.parse::<u64>())
            .transpose()
            .ok()
    };
    let (major, minor, patch) = (next()?, next()?, next()?);
    let precision = match (major, minor, patch) {
        (None, _, _) => Precision::Nothing,
        (_, None, _) => Precision::Major,
        (_, _, None) => Precision::Minor,
        (_, _, Some(_)) => Precision::Full,
    };
    let zero_or = Option::<u64>::unwrap_or_default;
    let mut number = Number::new(zero_or(major), zero_or(minor), zero_or(patch));
    number.pre = pre;
    Some((number, precision))
}

/// Go takes a `|` for part of a number here, which shows only after a wildcard, where nothing is looked at.
fn is_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'x' | b'X' | b'*' | b'|'))
}

fn is_wildcard(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}
