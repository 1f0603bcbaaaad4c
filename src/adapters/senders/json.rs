//! Reading JSON that somebody else wrote.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::Visitor;
use serde_json::Value;
use serde_json::error::Category;

use crate::adapters::senders::quote::shortened;
use crate::ports::payload_decoder::DecodeError;

/// Reads a body. Fields that a type does not name are skipped unread, so it costs nothing what they hold or how deep they are.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    if body.trim_ascii().is_empty() {
        return Err(DecodeError("the body is empty".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| {
        // A message about a value of the wrong type quotes that value, whatever its length.
        let message = shortened(&error.to_string());
        DecodeError(match error.classify() {
            Category::Data => format!("the payload has a value of the wrong type: {message}"),
            Category::Io | Category::Syntax | Category::Eof => {
                format!("the body is no JSON: {message}")
            }
        })
    })
}

/// Reads a body that is one object. serde would take a list for its fields in their order, which no sender means.
pub(super) fn parse_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(DecodeError(
            "the body is a JSON array, and this type sends one object: check the format that the sender is set to".to_owned(),
        ));
    }
    parse(body)
}

/// A text that may be absent, null or empty, which all mean the same. A whole number counts as the text that it would be: templates that
/// people write forget the quotation marks. A text without escapes is borrowed from the body.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text, unless there is none.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text at a key of an object, where something that is no text counts as none.
    pub(super) fn of(object: &'a Value, key: &str) -> Self {
        match object.get(key) {
            Some(Value::String(text)) => Self::from(text.as_str()),
            Some(Value::Number(number)) if !number.is_f64() => Self::from(number.to_string()),
            _ => Self(None),
        }
    }

    /// This text, else another one.
    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }

    /// The text, empty where there is none.
    pub(super) fn into_string(self) -> String {
        self.0.unwrap_or_default().into_owned()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self((!text.is_empty()).then_some(Cow::Borrowed(text)))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self((!text.is_empty()).then_some(Cow::Owned(text)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

/// An element of a list, of which one that is malformed says nothing about the others.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Element<T> {
    /// One as it should be.
    Read(T),
    /// Anything else.
    Other(IgnoredAny),
}

impl<T> Element<T> {
    /// The element. `field` says what it is one of.
    pub(super) fn read(&self, field: &str) -> Result<&T, DecodeError> {
        match self {
            Self::Read(element) => Ok(element),
            Self::Other(_) => Err(DecodeError(format!(
                "the payload has a value of the wrong type in {field}"
            ))),
        }
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::from(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text::from(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text::from(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text::from(number.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Probe<'a> {
        #[serde(borrow)]
        tag: Text<'a>,
    }

    fn tag(body: &str) -> Result<Text<'_>, DecodeError> {
        parse::<Probe>(body.as_bytes()).map(|probe| probe.tag)
    }

    #[test]
    fn null_and_empty_equal_absent() {
        for body in ["{}", r#"{"tag":null}"#, r#"{"tag":""}"#] {
            assert_eq!(tag(body).unwrap().get(), None, "{body}");
        }
        assert_eq!(tag(r#"{"tag":"1.0"}"#).unwrap().get(), Some("1.0"));
        assert_eq!(tag(r#"{"tag":42}"#).unwrap().get(), Some("42"));
    }

    #[test]
    fn a_list_is_no_object() {
        for body in ["[]", " [\"1.0\"]", "[{\"tag\":\"1.0\"}]"] {
            let message = parse_object::<Probe>(body.as_bytes()).unwrap_err().0;
            assert!(message.starts_with("the body is a JSON array"), "{message}");
        }
        let object = parse_object::<Probe>(b"{\"tag\":\"1.0\"}").unwrap();
        assert_eq!(object.tag.get(), Some("1.0"));
    }

    #[test]
    fn a_message_says_what_is_wrong_without_quoting_it_all() {
        let long = "x".repeat(100_000);
        let body = format!(r#"{{"tag":["{long}"]}}"#);
        let message = tag(&body).unwrap_err().0;
        assert!(message.contains("expected a text"), "{message}");
        let body = format!(r#""{long}""#);
        let message = tag(&body).unwrap_err().0;
        assert!(message.contains("wrong type"), "{message}");
        assert!(message.len() < 300, "{message}");
        for body in ["{", "nonsense", "{\"tag\":\"\u{0}\"}"] {
            let message = tag(body).unwrap_err().0;
            assert!(message.starts_with("the body is no JSON: "), "{message}");
        }
        assert_eq!(tag(" \n").unwrap_err().0, "the body is empty");
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = "[".repeat(500_000);
        assert!(tag(&deep).is_err());
        assert!(parse::<Value>(deep.as_bytes()).is_err());
        let skipped = format!(r#"{{"other":{deep}{},"tag":"1"}}"#, "]".repeat(deep.len()));
        assert_eq!(tag(&skipped).unwrap().get(), Some("1"));
    }
}
