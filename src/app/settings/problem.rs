//! Why the program does not start.

use std::fmt;

use super::setting::Setting;

/// How the program ends when it was called or configured wrongly: `EX_USAGE` of
/// [sysexits](https://man.freebsd.org/cgi/man.cgi?query=sysexits).
pub const EXIT_USAGE: u8 = 64;

/// The most that is shown of a value, in characters.
const MAX_SHOWN: usize = 100;

/// Something in the configuration that stops the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, or the source that cannot be read.
    pub subject: String,
    /// Where its value comes from and what it is, where there is one. A secret is not shown.
    pub found: Option<String>,
    /// What is wrong and what to do.
    pub request: String,
}

impl Problem {
    /// A value that is not allowed, and the place where it stands.
    pub(super) fn with_value(setting: &Setting, place: &str, value: &str, request: String) -> Self {
        let shown = if setting.hides_value() {
            "[redacted]".to_owned()
        } else {
            quoted(value)
        };
        Self {
            subject: setting.key.clone(),
            found: Some(format!("{place} is {shown}")),
            request,
        }
    }

    /// Something that is not about one value.
    #[must_use]
    pub fn of(subject: &str, request: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            found: None,
            request: request.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.subject)?;
        if let Some(found) = &self.found {
            write!(f, "{found}; ")?;
        }
        f.write_str(&self.request)
    }
}

/// A value on one line, in quotes, at most [`MAX_SHOWN`] characters of it.
pub(super) fn quoted(value: &str) -> String {
    let mut rest = value.chars();
    let start: String = rest.by_ref().take(MAX_SHOWN).collect();
    let more = if rest.next().is_some() { "…" } else { "" };
    format!("{start:?}{more}")
}

/// All problems of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem")?,
            count => write!(f, "the configuration has {count} problems")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
