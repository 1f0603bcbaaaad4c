//! The text of a constraint.

use semver::{BuildMetadata, Prerelease, Version as Number};

use super::Group;
use super::comparison::{Comparison, Operator, Precision};

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

/// Parses comparisons separated by blanks, at least one. As in Go, a range `A - B` stands at the beginning.
fn comma_part(part: &str, comparisons: &mut Vec<Comparison>) -> Result<(), String> {
    let words: Vec<&str> = part
        .split([' ', '\t', '\n', '\r', '\x0c'])
        .filter(|word| !word.is_empty())
        .collect();
    let rest = match words.as_slice() {
        [] => return Err(part.to_owned()),
        [lower, "-", upper, rest @ ..] => {
            comparisons.push(comparison(Operator::GreaterOrEqual, lower)?);
            comparisons.push(comparison(Operator::LessOrEqual, upper)?);
            rest
        }
        all => all,
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let (operator, version) = match split_operator(word) {
            // Blanks may stand between an operator and its version.
            (operator, "") => (operator, *rest.next().ok_or_else(|| part.to_owned())?),
            whole => whole,
        };
        comparisons.push(comparison(operator, version)?);
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
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = match text.split_once('+') {
        Some((text, build)) => {
            BuildMetadata::new(build).ok().filter(|b| !b.is_empty())?;
            text
        }
        None => text,
    };
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (
            numbers,
            Prerelease::new(pre).ok().filter(|p| !p.is_empty())?,
        ),
        None => (text, Prerelease::EMPTY),
    };
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
