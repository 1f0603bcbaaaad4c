//! From a request to events, as the HTTP binding of CloudEvents tells: structured, batched or binary.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::adapters::senders::cloud_events::attribute;
use crate::adapters::senders::cloud_events::eventbridge;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse;
use crate::adapters::senders::keys;
use crate::adapters::senders::names::missing;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::ports::payload_decoder::DecodeError;

/// An event, as far as it is read.
#[derive(Debug)]
pub(super) struct Event {
    /// `type`.
    pub(super) kind: String,
    /// `source`, empty where there is none.
    pub(super) source: String,
    /// `subject`, empty where there is none.
    pub(super) subject: String,
    /// `data`, null where there is none.
    pub(super) data: Value,
}

/// The name of a delivery.
pub(super) fn key(delivery: &Delivery) -> Option<SenderKey> {
    match delivery.header("ce-id") {
        Some(id) => {
            let source = delivery.header("ce-source").unwrap_or_default();
            SenderKey::parse(&keys::cloud_event(source, id))
        }
        None => keys::of_cloud_events(&delivery.body),
    }
}

/// The events of a delivery. In a batch each may be wrong for itself.
pub(super) fn open(delivery: &Delivery) -> Result<Vec<Result<Event, DecodeError>>, DecodeError> {
    let content_type = delivery.header("content-type").unwrap_or_default();
    let content_type = content_type.trim_start().to_ascii_lowercase();
    let in_body = content_type.starts_with("application/cloudevents");
    let in_headers = ["ce-specversion", "ce-type"].map(|name| delivery.header(name).is_some());
    if !in_body && in_headers.contains(&true) {
        return Ok(vec![binary(delivery, &content_type)]);
    }
    Ok(match parse(&delivery.body)? {
        Value::Array(events) => events.into_iter().map(structured).collect(),
        event => vec![structured(event)],
    })
}

fn structured(mut event: Value) -> Result<Event, DecodeError> {
    if !event.is_object() {
        return Err(DecodeError("an event is no JSON object".to_owned()));
    }
    let text = |name| Text::of(&event, name);
    if text("specversion").get().is_none() {
        return if eventbridge::is_native(&event) {
            Ok(Event {
                kind: String::new(),
                source: String::new(),
                subject: String::new(),
                data: event,
            })
        } else {
            Err(missing("specversion, so it is no CloudEvent"))
        };
    }
    Ok(Event {
        kind: required(&text("type"), "type")?,
        source: text("source").into_string(),
        subject: text("subject").into_string(),
        data: structured_data(&mut event)?,
    })
}

/// `data`, or the JSON in `data_base64`, which [the JSON format, 3.1.1] has for whatever a sender takes for binary.
///
/// [the JSON format, 3.1.1]: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#311-payload-serialization
fn structured_data(event: &mut Value) -> Result<Value, DecodeError> {
    let data = event.get_mut("data").map(Value::take).unwrap_or_default();
    let encoded = Text::of(event, "data_base64");
    let content_type = Text::of(event, "datacontenttype").into_string();
    match encoded.get() {
        Some(encoded) if data.is_null() && may_be_json(&content_type) => {
            let body = BASE64_STANDARD
                .decode(encoded)
                .map_err(|error| DecodeError(format!("data_base64 is no Base64: {error}")))?;
            parse(&body).map_err(|error| DecodeError(format!("in data_base64, {error}")))
        }
        Some(_) | None => Ok(data),
    }
}

fn binary(delivery: &Delivery, content_type: &str) -> Result<Event, DecodeError> {
    let text = |name| {
        delivery
            .header(name)
            .map(attribute::decoded)
            .unwrap_or_default()
    };
    required(&text("ce-specversion"), "header ce-specversion")?;
    let kind = required(&text("ce-type"), "header ce-type")?;
    Ok(Event {
        kind,
        source: text("ce-source").into_string(),
        subject: text("ce-subject").into_string(),
        data: if may_be_json(content_type) && !delivery.body.is_empty() {
            parse(&delivery.body)?
        } else {
            Value::Null
        },
    })
}

/// Whether data of that type is read. Where it is not, subject and source may say enough.
fn may_be_json(content_type: &str) -> bool {
    content_type.is_empty() || content_type.to_ascii_lowercase().contains("json")
}

fn required(text: &Text, name: &str) -> Result<String, DecodeError> {
    let text = text.get().ok_or_else(|| missing(name))?;
    Ok(text.to_owned())
}
