//! Reading the members of an entry one by one.

use std::time::Duration;

use serde_saphyr::Spanned;

use crate::adapters::registries_conf::mistake::Mistake;
use crate::adapters::registries_conf::raw::Mapping;
use crate::adapters::registries_conf::raw::Raw;

/// An entry that is being read, and what is wrong with it so far.
pub(super) struct Members<'m> {
    mapping: &'m Mapping,
    /// The line in which the entry begins.
    pub(super) line: u64,
    /// What people call it.
    pub(super) title: String,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<Mistake>,
}

impl<'m> Members<'m> {
    pub(super) fn of(mapping: &'m Mapping, line: u64, title: String) -> Self {
        Self {
            mapping,
            line,
            title,
            mistakes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.mapping.iter().map(|(key, _)| key.value.as_str())
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, key: &str) -> Option<&'m str> {
        let raw = self.member(key)?;
        match raw {
            Raw::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Raw::Nothing => None,
            Raw::Bool(_) | Raw::Integer(_) => {
                self.wrong(key, "must be a text: put it in quotes");
                None
            }
            Raw::Other(_) | Raw::Mapping(_) | Raw::List(_) => {
                self.wrong(key, format!("must be a text and is {}", kind(raw)));
                None
            }
        }
    }

    /// `true` or `false`, and what the Go program's YAML takes for them besides.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        let Some(raw) = self.member(key) else {
            return false;
        };
        let flag = match raw {
            Raw::Bool(flag) => Some(*flag),
            Raw::Nothing => Some(false),
            Raw::Text(text) => match text.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" | "true" => Some(true),
                "no" | "n" | "off" | "false" => Some(false),
                _ => None,
            },
            Raw::Integer(_) | Raw::Other(_) | Raw::Mapping(_) | Raw::List(_) => None,
        };
        if flag.is_none() {
            self.wrong(key, "must be true or false");
        }
        flag.unwrap_or_default()
    }

    pub(super) fn integer(&mut self, key: &str) -> Option<i64> {
        let raw = self.member(key)?;
        match raw {
            Raw::Integer(number) => Some(*number),
            Raw::Nothing => None,
            Raw::Text(_) | Raw::Bool(_) | Raw::Other(_) | Raw::Mapping(_) | Raw::List(_) => {
                self.wrong(key, "must be a whole number");
                None
            }
        }
    }

    /// A time span in Go's spelling; `None` where there is none, or it is 0.
    pub(super) fn duration(&mut self, key: &str) -> Option<Duration> {
        let raw = self.member(key)?;
        let span = match raw {
            Raw::Nothing | Raw::Integer(0) => return None,
            Raw::Text(text) => duration(text.trim()),
            Raw::Bool(_) | Raw::Integer(_) | Raw::Other(_) | Raw::Mapping(_) | Raw::List(_) => None,
        };
        if span.is_none() {
            self.wrong(
                key,
                "must be a duration with a unit, such as 30s, 10m or 8h",
            );
        }
        span.filter(|span| !span.is_zero())
    }

    /// Whether something is wrong with a member.
    pub(super) fn is_wrong(&self, key: &str) -> bool {
        let mut mistakes = self.mistakes.iter();
        mistakes.any(|mistake| mistake.key.as_deref() == Some(key))
    }

    pub(super) fn wrong(&mut self, key: &str, reason: impl Into<String>) {
        let mistake = self.told(key, reason.into());
        self.mistakes.push(mistake);
    }

    pub(super) fn warn(&mut self, key: &str, reason: impl Into<String>) {
        let warning = self.told(key, reason.into());
        self.warnings.push(warning);
    }

    /// What there is to say, with the line of the member, or of the entry where it has no such member.
    fn told(&self, key: &str, reason: String) -> Mistake {
        let mut members = self.mapping.iter();
        let member = members.find(|(name, _)| name.value == key);
        Mistake {
            line: member.map_or(self.line, |(name, _)| line_of(name)),
            entry: Some(self.title.clone()),
            key: Some(key.to_owned()),
            reason,
        }
    }

    fn member(&self, key: &str) -> Option<&'m Raw> {
        let mut members = self.mapping.iter();
        let (_, value) = members.find(|(name, _)| name.value == key)?;
        Some(&value.value)
    }
}

pub(super) fn line_of<T>(value: &Spanned<T>) -> u64 {
    value.referenced.line().max(1)
}

/// What people call a value that is of the wrong kind.
pub(super) fn kind(raw: &Raw) -> &'static str {
    match raw {
        Raw::Nothing => "nothing",
        Raw::Text(_) => "a text",
        Raw::Bool(_) => "true or false",
        Raw::Integer(_) => "a number",
        Raw::Other(kind) => kind,
        Raw::Mapping(_) => "a mapping",
        Raw::List(_) => "a list",
    }
}

fn duration(text: &str) -> Option<Duration> {
    // Go reads `.5s`, humantime wants a digit first.
    let text = text.strip_prefix('+').unwrap_or(text);
    let fraction = text.strip_prefix('.').map(|rest| format!("0.{rest}"));
    humantime::parse_duration(fraction.as_deref().unwrap_or(text)).ok()
}
