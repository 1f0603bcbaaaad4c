//! What the value of a setting may be, and how its text is read.

use std::time::Duration;

use figment::value::Value;

use super::credential_kinds;
use super::listen_address::ListenAddress;
use super::namespaces;
use super::namespaces::WatchedNamespaces;
use super::queue_address::QueueAddress;
use crate::domain::admission::allow_list::AllowList;
use crate::domain::admission::network::Networks;
use crate::domain::secret_policy::Secrets;
use crate::domain::tls::TlsVersion;
use crate::domain::tls::cipher_suite::CipherList;

/// The kind of a setting's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Bool,
    /// A whole number.
    Number {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// A time span in the spelling of Go's [`ParseDuration`](https://pkg.go.dev/time#ParseDuration).
    Duration(Sign),
    /// One of a few words, in any case.
    Choice(&'static [&'static str]),
    /// A version of TLS.
    TlsVersion,
    /// Cipher suites, separated by colons.
    TlsCiphers,
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// An address to listen on, or none.
    Address,
    /// A namespace of Kubernetes, or nothing.
    Namespace,
    /// Namespaces separated by commas, `*` for all of them, or nothing.
    Namespaces,
    /// Kinds of sources of credentials, separated by commas, or nothing.
    CredentialKinds,
    /// Networks separated by commas, or nothing.
    Networks,
    /// Networks separated by commas, some of them for one type of sender, or nothing.
    AllowList,
    /// Types of senders separated by commas, `*` for all of them, or nothing.
    SenderTypes,
    /// The address of a queue, with a password that is not shown.
    QueueAddress,
    /// What names on a NATS server begin with.
    QueuePrefix,
    /// Shared secrets, one a line.
    Secret,
}

/// What sign a time span may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// More than nothing: a time-out.
    Positive,
    /// Nothing or more.
    NotNegative,
    /// Any.
    Any,
}

impl Sign {
    fn allows(self, nanoseconds: i64) -> bool {
        match self {
            Self::Positive => nanoseconds > 0,
            Self::NotNegative => nanoseconds >= 0,
            Self::Any => true,
        }
    }

    fn request(self) -> &'static str {
        match self {
            Self::Positive => "give a duration above 0, such as 500ms or 30s",
            Self::NotNegative => "give a duration such as 0, 30s or 1m30s",
            Self::Any => "give a duration such as 30s, 1h30m or -1s",
        }
    }
}

impl Kind {
    /// A time-out.
    pub const TIMEOUT: Self = Self::Duration(Sign::Positive);

    /// A TCP port.
    pub const PORT: Self = Self::Number {
        min: 0,
        max: u16::MAX as u64,
    };

    /// Reads a text. Of a secret only the number of its values is given, so that no secret gets among the merged values.
    ///
    /// # Errors
    /// What is allowed, as a request to the user.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        // Every source replaces bytes that are no UTF-8 by this character, and no setting needs it.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err("give text in UTF-8".to_owned());
        }
        match self {
            Self::Bool => bool(text).ok_or_else(|| "give true or false".to_owned()),
            Self::Number { min, max } => number(text, min, max),
            Self::Duration(sign) => duration(text, sign),
            Self::Choice(words) => choice(text, words),
            Self::TlsVersion => TlsVersion::parse(text)
                .map(|version| version.to_string().into())
                .map_err(|_| "give 1.1, 1.2 or 1.3".to_owned()),
            Self::TlsCiphers => CipherList::parse(text)
                .map(|_| text.into())
                .map_err(|error| error.to_string()),
            Self::Path if text.is_empty() => Err("give a path".to_owned()),
            // Which types there are only the table knows.
            Self::Text | Self::Path | Self::SenderTypes => Ok(text.into()),
            Self::Networks => Networks::parse(text)
                .map(|_| text.into())
                .map_err(|error| error.to_string()),
            Self::AllowList => AllowList::parse(text)
                .map(|_| text.into())
                .map_err(|error| error.to_string()),
            Self::Address => ListenAddress::parse(text).map(|_| text.into()),
            Self::Namespace => namespaces::check_name(text).map(|()| text.into()),
            Self::Namespaces => WatchedNamespaces::parse(text).map(|_| text.into()),
            Self::CredentialKinds => credential_kinds::parse(text).map(|_| text.into()),
            Self::QueueAddress => QueueAddress::parse(text).map(|_| text.into()),
            Self::QueuePrefix => queue_prefix(text),
            Self::Secret => Ok(Secrets::parse(text).len().into()),
        }
    }

    /// What stands for the value in a usage text.
    #[must_use]
    pub fn placeholder(self) -> String {
        match self {
            Self::Bool => "true|false".to_owned(),
            Self::Number { .. } => "NUMBER".to_owned(),
            Self::Duration(_) => "DURATION".to_owned(),
            Self::Choice(words) => words.join("|"),
            Self::TlsVersion => "VERSION".to_owned(),
            Self::TlsCiphers => "SUITE:...".to_owned(),
            Self::Text => "TEXT".to_owned(),
            Self::Path => "PATH".to_owned(),
            Self::Address => "ADDRESS".to_owned(),
            Self::Namespace => "NAMESPACE".to_owned(),
            Self::Namespaces => "NAMESPACE,...".to_owned(),
            Self::CredentialKinds => "KIND,...".to_owned(),
            Self::Networks => "CIDR,...".to_owned(),
            Self::AllowList => "[TYPE=]CIDR,...".to_owned(),
            Self::SenderTypes => "TYPE,...".to_owned(),
            Self::QueueAddress => "URL".to_owned(),
            Self::QueuePrefix => "NAME".to_owned(),
            Self::Secret => "SECRET".to_owned(),
        }
    }

    /// A value as people read it; secrets are counted, not shown.
    #[must_use]
    pub fn show(self, value: &Value) -> String {
        match self {
            Self::Bool => value.to_bool().unwrap_or_default().to_string(),
            Self::Number { .. } => value.to_u128().unwrap_or_default().to_string(),
            Self::Duration(_) => show_duration(value.to_i128().unwrap_or_default()),
            Self::Choice(_)
            | Self::TlsVersion
            | Self::TlsCiphers
            | Self::Text
            | Self::Path
            | Self::Address
            | Self::Namespace
            | Self::Namespaces
            | Self::CredentialKinds
            | Self::Networks
            | Self::AllowList
            | Self::SenderTypes
            | Self::QueuePrefix => value.as_str().unwrap_or_default().to_owned(),
            Self::QueueAddress => QueueAddress::parse(value.as_str().unwrap_or_default())
                .map(|address| address.to_string())
                .unwrap_or_default(),
            Self::Secret => match value.to_u128().unwrap_or_default() {
                0 => "[not set]".to_owned(),
                1 => "[set, 1 value]".to_owned(),
                count => format!("[set, {count} values]"),
            },
        }
    }
}

fn queue_prefix(text: &str) -> Result<Value, String> {
    const LONGEST: usize = 64;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > LONGEST || !text.chars().all(is_name) {
        return Err(format!("give up to {LONGEST} letters, digits, - and _"));
    }
    Ok(text.into())
}

fn bool(text: &str) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    lower.parse::<bool>().ok().map(Value::from)
}

fn number(text: &str, min: u64, max: u64) -> Result<Value, String> {
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number.into()),
        _ => Err(format!("give a whole number from {min} to {max}")),
    }
}

fn duration(text: &str, sign: Sign) -> Result<Value, String> {
    match nanoseconds(text) {
        Some(span) if sign.allows(span) => Ok(span.into()),
        _ => Err(sign.request().to_owned()),
    }
}

fn choice(text: &str, words: &[&'static str]) -> Result<Value, String> {
    let chosen = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    let value = chosen.map(|word| Value::from(*word));
    value.ok_or_else(|| format!("give {}", words.join(" or ")))
}

/// A time span in nanoseconds.
fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, span) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // Go reads `.5s`, humantime wants a digit first.
    let span = span
        .strip_prefix('.')
        .map_or_else(|| span.to_owned(), |rest| format!("0.{rest}"));
    let length = humantime::parse_duration(&span).ok()?;
    let length = i64::try_from(length.as_nanos()).ok()?;
    Some(if negative { -length } else { length })
}

fn show_duration(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let length = u64::try_from(nanoseconds.unsigned_abs()).unwrap_or(u64::MAX);
    let span = humantime::format_duration(Duration::from_nanos(length)).to_string();
    format!("{sign}{}", span.replace(' ', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(text: &str) -> Option<i128> {
        Kind::Duration(Sign::Any)
            .parse(text)
            .ok()
            .and_then(|v| v.to_i128())
    }

    #[test]
    fn durations_are_spelled_as_in_go() {
        const SECOND: i128 = 1_000_000_000;
        for (text, expected) in [
            ("0", 0),
            ("0s", 0),
            ("300ms", SECOND * 3 / 10),
            ("1.5h", 5400 * SECOND),
            (".5s", SECOND / 2),
            ("1h0m0s", 3600 * SECOND),
            ("2m0s", 120 * SECOND),
            ("1m30s", 90 * SECOND),
            ("100us", 100_000),
            ("100µs", 100_000),
            ("-1s", -SECOND),
            ("+1s", SECOND),
        ] {
            assert_eq!(span(text), Some(expected), "{text}");
        }
        for text in ["", "5", "s", "-", "1x", "--1s", "1s 2", "99999999999h"] {
            assert_eq!(span(text), None, "{text}");
        }
        let not_negative = Kind::Duration(Sign::NotNegative);
        assert!(not_negative.parse("-1s").is_err());
        assert!(not_negative.parse("-0s").is_ok());
        assert!(Kind::TIMEOUT.parse("0s").is_err());
        assert!(Kind::TIMEOUT.parse("1ms").is_ok());
    }

    #[test]
    fn durations_are_shown_as_they_are_spelled() {
        for text in ["0s", "3s", "1m30s", "-1s", "250ms", "2h"] {
            let value = Kind::Duration(Sign::Any).parse(text).unwrap();
            assert_eq!(Kind::Duration(Sign::Any).show(&value), text);
        }
    }

    #[test]
    fn numbers_have_bounds() {
        for text in ["0", "8080", "65535"] {
            assert!(Kind::PORT.parse(text).is_ok(), "{text}");
        }
        for text in ["", "-1", "65536", "http", "8080 ", "0x50", "1e3", "1.0"] {
            let error = Kind::PORT.parse(text).unwrap_err();
            assert_eq!(error, "give a whole number from 0 to 65535", "{text}");
        }
    }

    #[test]
    fn booleans_and_words_are_read_in_any_case() {
        for (text, expected) in [("true", true), ("FALSE", false), ("True", true)] {
            assert_eq!(Kind::Bool.parse(text).unwrap().to_bool(), Some(expected));
        }
        for text in ["", "1", "0", "yes", "on", "truee", " true"] {
            assert!(Kind::Bool.parse(text).is_err(), "{text}");
        }
        let words = Kind::Choice(&["text", "json"]);
        assert_eq!(words.parse("JSON").unwrap().as_str(), Some("json"));
        assert_eq!(words.parse("xml").unwrap_err(), "give text or json");
    }

    #[test]
    fn a_secret_is_counted_only() {
        let value = Kind::Secret.parse("hunter2\nhunter3\n").unwrap();
        assert_eq!(Kind::Secret.show(&value), "[set, 2 values]");
        assert!(!format!("{value:?}").contains("hunter"));
    }

    #[test]
    fn what_was_no_utf8_is_refused() {
        assert!(Kind::Text.parse("a\u{fffd}b").is_err());
        assert!(Kind::Secret.parse("a\u{fffd}b").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            for kind in [Kind::Bool, Kind::PORT, Kind::Duration(Sign::Any), Kind::Text, Kind::Path, Kind::Address, Kind::Namespace, Kind::Namespaces, Kind::CredentialKinds, Kind::Networks, Kind::AllowList, Kind::SenderTypes, Kind::QueueAddress, Kind::QueuePrefix, Kind::Secret] {
                if let Ok(value) = kind.parse(&text) {
                    let _ = kind.show(&value);
                }
            }
        }

        #[test]
        fn a_duration_that_is_shown_is_read_again(nanoseconds in any::<i64>()) {
            let shown = show_duration(nanoseconds.into());
            prop_assert_eq!(span(&shown), Some(i128::from(nanoseconds)), "{}", shown);
        }
    }
}
