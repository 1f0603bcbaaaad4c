//! Patterns for whole names, in the language of Go's [`filepath.Match`](https://pkg.go.dev/path/filepath#Match).
//!
//! `*` is any run of characters other than `/`, `?` one character other than `/`, `[a-z]` one of a class, `[^a-z]` one outside it, and
//! `\` takes the next character literally. There is no `**`, no `{a,b}` and no `[!a]`.
//!
//! Go reports a malformed pattern only when matching comes upon the bad part. Here a pattern is parsed as a whole, once, so that a
//! mistake shows before any name does.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

/// A pattern for whole names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GlobError {
    /// A class has no end.
    #[error("a \"[\" has no closing \"]\": close it, or write \"\\[\" for the bracket itself")]
    OpenClass,
    /// A class is empty, or has a `-` or `]` where a character is due.
    #[error(
        "a \"[…]\" needs characters or ranges such as \"a-z\": write \"\\-\" or \"\\]\" for those characters themselves"
    )]
    BadClass,
    /// The text ends in a backslash.
    #[error("a \"\\\" at the end has nothing to escape: write \"\\\\\" for the backslash itself")]
    TrailingEscape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// One character other than the separator.
    Any,
    /// Any run without the separator. Two in a row are parsed as one.
    Star,
    /// A class may match the separator, in Go too.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

const SEPARATOR: char = '/';

impl Glob {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`GlobError`] for what Go's `ErrBadPattern` stands for, anywhere in the text.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(next) = chars.next() {
            match next {
                '*' if tokens.last() == Some(&Token::Star) => {}
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::Any),
                '[' => tokens.push(class(&mut chars)?),
                '\\' => tokens.push(Token::Literal(
                    chars.next().ok_or(GlobError::TrailingEscape)?,
                )),
                literal => tokens.push(Token::Literal(literal)),
            }
        }
        Ok(Self {
            text: text.to_owned(),
            tokens,
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a whole name fits the pattern, in time proportional to the product of their lengths at worst.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut tokens = self.tokens.as_slice();
        let mut rest = name;
        // What to go back to on a mismatch: the tokens after the last star, and the name where that star's run ends so far. Earlier
        // stars need no second try: a longer run of theirs would only leave less of the name for the last one.
        let mut retry: Option<(&[Token], &str)> = None;
        loop {
            if let [Token::Star, after @ ..] = tokens {
                retry = Some((after, rest));
                tokens = after;
            } else if let Some((after, remaining)) = step(tokens, rest) {
                (tokens, rest) = (after, remaining);
            } else if tokens.is_empty() && rest.is_empty() {
                return true;
            } else {
                let Some((after, run_end)) = retry else {
                    return false;
                };
                let Some(longer) = tail(run_end, |c| c != SEPARATOR) else {
                    return false;
                };
                retry = Some((after, longer));
                (tokens, rest) = (after, longer);
            }
        }
    }
}

/// Matches the first token, which is no star, with the first character; both are left out of what remains.
fn step<'t, 'n>(tokens: &'t [Token], name: &'n str) -> Option<(&'t [Token], &'n str)> {
    let (first, after) = tokens.split_first()?;
    let remaining = match first {
        Token::Literal(literal) => tail(name, |c| c == *literal),
        Token::Any => tail(name, |c| c != SEPARATOR),
        Token::Class { negated, ranges } => tail(name, |c| {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
        }),
        Token::Star => None,
    }?;
    Some((after, remaining))
}

/// The name without its first character, if that one is accepted.
fn tail(name: &str, accepts: impl Fn(char) -> bool) -> Option<&str> {
    let mut chars = name.chars();
    chars.next().filter(|c| accepts(*c)).map(|_| chars.as_str())
}

/// The rest of a class, after its `[`.
fn class(chars: &mut Peekable<Chars<'_>>) -> Result<Token, GlobError> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
        let low = class_character(chars)?;
        let high = match chars.next_if_eq(&'-') {
            Some(_) => class_character(chars)?,
            None => low,
        };
        ranges.push((low, high));
    }
    Ok(Token::Class { negated, ranges })
}

fn class_character(chars: &mut Peekable<Chars<'_>>) -> Result<char, GlobError> {
    match chars.next().ok_or(GlobError::OpenClass)? {
        '-' | ']' => Err(GlobError::BadClass),
        '\\' => chars.next().ok_or(GlobError::OpenClass),
        plain => Ok(plain),
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(name)
    }

    /// The verdicts are those of `filepath.Match` of Go 1.26.
    #[test]
    fn names_match_as_in_go() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "ABC", false),
            ("abc", "abcd", false),
            ("*", "", true),
            ("*", "abc", true),
            ("*", "a/c", false),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("**b", "aab", true),
            ("a**", "abc", true),
            ("?", "a", true),
            ("?", "", false),
            ("?", "/", false),
            ("a?b", "a☺b", true),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("ab[!c]", "abc", true),
            ("ab[!c]", "ab!", true),
            ("[a-ζ]*", "α", true),
            ("[b-a]", "a", false),
            ("[a^]", "^", true),
            ("[*]", "*", true),
            ("[*]", "a", false),
            ("[[]x", "[x", true),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-z]", "y", false),
            ("[\\a-\\c]", "b", true),
            ("a]b", "a]b", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a\\bc", "abc", true),
            ("{a,b}", "a", false),
            ("1.2.*", "1.2.3", true),
            ("1.2.*", "11.2.3", false),
            ("*-rc?", "1.0-rc1", true),
            // A class may match the separator, and a star is not tried again for its sake.
            ("a[^b]c", "a/c", true),
            ("*[/x]*b", "x/b", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused_wherever_they_are_malformed() {
        use GlobError::{BadClass, OpenClass, TrailingEscape};
        for (pattern, error) in [
            ("[", OpenClass),
            ("[^", OpenClass),
            ("[a", OpenClass),
            ("[a-", OpenClass),
            ("[^bc", OpenClass),
            ("a*[", OpenClass),
            ("[\\", OpenClass),
            ("[\\]", OpenClass),
            ("[]", BadClass),
            ("[^]", BadClass),
            ("[]a]", BadClass),
            ("[-]", BadClass),
            ("[x-]", BadClass),
            ("[-x]", BadClass),
            ("[a-b-c]", BadClass),
            ("[x--]", BadClass),
            ("\\", TrailingEscape),
            ("a*\\", TrailingEscape),
        ] {
            assert_eq!(Glob::parse(pattern), Err(error), "{pattern:?}");
        }
    }

    #[test]
    fn many_stars_do_not_make_it_slow() {
        // A matcher that tries every way to split the name would not come to an end.
        let pattern = "a*".repeat(500) + "b";
        assert!(!matches(&pattern, &"a".repeat(5_000)));
    }

    /// What a pattern means, tried in every way.
    fn naive(tokens: &[Token], name: &str) -> bool {
        match tokens {
            [] => name.is_empty(),
            [Token::Star, rest @ ..] => {
                naive(rest, name)
                    || tail(name, |c| c != SEPARATOR).is_some_and(|name| naive(tokens, name))
            }
            _ => step(tokens, name).is_some_and(|(tokens, name)| naive(tokens, name)),
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(pattern in "\\PC*", likely in "[ab*?/^\\[\\]\\\\-]{0,20}", name in "\\PC*") {
            for pattern in [pattern, likely] {
                if let Ok(glob) = Glob::parse(&pattern) {
                    let _ = glob.matches(&name);
                    prop_assert_eq!(glob.as_str(), pattern);
                }
            }
        }

        #[test]
        fn an_escaped_text_matches_itself_alone(text in "\\PC{0,20}", other in "\\PC{0,20}") {
            let pattern: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(&pattern, &text));
            prop_assert_eq!(matches(&pattern, &other), text == other);
        }

        #[test]
        fn matching_tries_enough(pattern in "([ab*?]|\\[a\\]|\\[\\^a\\]){0,8}", name in "[abc]{0,8}") {
            let glob = Glob::parse(&pattern).unwrap();
            prop_assert_eq!(glob.matches(&name), naive(&glob.tokens, &name));
        }
    }
}
