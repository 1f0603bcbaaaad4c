//! The members of the entries, before anybody asks what they mean.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_saphyr::DuplicateKeyPolicy;
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;

use crate::adapters::registries_conf::mistake::Mistake;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// Nothing stands there.
    Nothing,
    Text(String),
    Bool(bool),
    Integer(i64),
    /// What no member may be, as people call it.
    Other(&'static str),
    /// A mapping.
    Mapping(Mapping),
    /// A list.
    List(Vec<Spanned<Raw>>),
}

/// The members of a mapping in their order, each with its key.
pub(super) type Mapping = Vec<(Spanned<String>, Spanned<Raw>)>;

/// Reads a text.
///
/// # Errors
/// The first place where it is no YAML.
pub(super) fn read(text: &str) -> Result<Spanned<Raw>, Mistake> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| Mistake {
        line: error.location().map_or(1, |place| place.line().max(1)),
        entry: None,
        key: None,
        reason: reason(error.without_snippet()),
    })
}

/// What is wrong, without the line, which stands elsewhere.
fn reason(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or_default();
        return format!("the key {key:?} stands twice in one mapping");
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("it is no YAML: {text}")
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        // Nobody counts that far.
        Ok(Raw::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Other("a huge number"))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Other("a huge number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Other("a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Raw, E> {
        Ok(Raw::Other("binary data"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Raw, A::Error> {
        let mut mapping = Mapping::new();
        while let Some(member) = members.next_entry()? {
            mapping.push(member);
        }
        Ok(Raw::Mapping(mapping))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Raw::Other("a tagged value"))
    }
}
