//! One request of a sender, as raw as it came.

use std::fmt;
use std::sync::Arc;

use crate::domain::pairs::Pairs;

/// Names one delivery in answers, logs and everything that is kept of it, which is why clones share their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(Arc<str>);

impl DeliveryId {
    /// Takes an id that the receiving side made up.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sender's own name for what it sends, the same when it sends that again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderKey(Arc<str>);

impl SenderKey {
    /// The longest name that is kept, in bytes. Those that are known are UUIDs.
    const LONGEST: usize = 200;

    /// Takes a sender's name for what it sends. An empty one is none, and neither is one that is far too long to be worth keeping.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        (!name.is_empty() && name.len() <= Self::LONGEST).then(|| Self(name.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names the span of a delivery's receipt, so that what is done for it is part of one trace wherever that is: a
/// [`traceparent`](https://www.w3.org/TR/trace-context/#traceparent-header) of W3C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(Arc<str>);

impl TraceParent {
    /// Takes a text of its form; what is none names nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| {
            let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
            part.bytes().all(is_hex).then_some(part.len())
        });
        let lengths = [2, 32, 16, 2].map(Some);
        let is_one = lengths.iter().all(|length| parts.next() == Some(*length));
        (is_one && parts.next().is_none()).then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A delivery before anything in it is believed. Headers, query and body may hold secrets, so `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Our name for it.
    pub id: DeliveryId,
    /// Header names in lower case, with their values. What is no UTF-8 is left out by the receiving side.
    pub headers: Pairs,
    /// The query's names and values, percent-decoded.
    pub query: Pairs,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// The first query parameter of that name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.first(name)
    }

    /// The type that the sender asked for: `?type=`, else the header `X-Registry-Type`.
    #[must_use]
    pub fn sender_type(&self) -> Option<&str> {
        let told = [self.query("type"), self.header("x-registry-type")];
        let mut told = told.into_iter().flatten().map(str::trim);
        told.find(|name| !name.is_empty())
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("headers", &self.headers.len())
            .field("query", &self.query.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_has_its_form() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceParent::parse(good).unwrap().as_str(), good);
        let bad = [
            "",
            "00",
            "---",
            &good[..54],
            &good.to_uppercase(),
            &format!("{good}-00"),
            &format!("{good}\n"),
        ];
        for text in bad {
            assert_eq!(TraceParent::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_blank_type_in_the_query_leaves_the_header_to_tell() {
        let told = |query: Option<&str>, header: Option<&str>| {
            let delivery = Delivery {
                id: DeliveryId::new("d".to_owned()),
                headers: header
                    .map(|kind| ("x-registry-type", kind))
                    .into_iter()
                    .collect(),
                query: query.map(|kind| ("type", kind)).into_iter().collect(),
                body: Vec::new(),
            };
            delivery.sender_type().map(str::to_owned)
        };
        for blank in [None, Some(""), Some(" ")] {
            assert_eq!(told(blank, Some(" harbor ")).as_deref(), Some("harbor"));
            assert_eq!(told(blank, blank), None);
        }
        assert_eq!(told(Some(" acr"), Some("harbor")).as_deref(), Some("acr"));
    }
}
