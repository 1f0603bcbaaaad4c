//! Parts of the deliveries that are made up.

use serde_json::Value;

use crate::domain::event::ImageEvent;
use crate::ports::payload_decoder::Composed;

/// A delivery of JSON.
pub(super) fn json(payload: &Value) -> Composed {
    Composed {
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        query: Vec::new(),
        body: payload.to_string().into_bytes(),
    }
}

/// A repository as its namespace and its name, which is what follows the last slash.
pub(super) fn namespace_and_name(event: &ImageEvent) -> (&str, &str) {
    let repository = event.image.repository().as_str();
    repository.rsplit_once('/').unwrap_or(("", repository))
}

/// The digest, or null.
pub(super) fn digest(event: &ImageEvent) -> Value {
    event
        .digest
        .as_ref()
        .map_or(Value::Null, |digest| Value::from(digest.as_str()))
}
