//! The names that senders have for their deliveries.

use serde::Deserialize;

use crate::adapters::senders::json::Element;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::domain::delivery::SenderKey;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(rename = "requestid")]
    request: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    events: Vec<Element<Named<'a>>>,
}

fn named(body: &[u8]) -> Option<Named<'_>> {
    parse_object(body).ok()
}

/// The `id` of a body that is one object.
pub(super) fn id(body: &[u8]) -> Option<SenderKey> {
    SenderKey::parse(named(body)?.id.get()?)
}

/// The `requestid` of a body that is one object.
pub(super) fn request(body: &[u8]) -> Option<SenderKey> {
    SenderKey::parse(named(body)?.request.get()?)
}

/// The `id` of each of a body's `events`.
pub(super) fn of_events(body: &[u8]) -> Option<SenderKey> {
    let envelope: Envelope = parse_object(body).ok()?;
    let ids = envelope.events.into_iter().map(|event| {
        let event = event.read("events").ok()?;
        Some(event.id.get()?.to_owned())
    });
    first_and_last(ids)
}

/// The `source` and the `id` of a `CloudEvent`, or of a batch of them: [both together] name one.
///
/// [both together]: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id
pub(super) fn of_cloud_events(body: &[u8]) -> Option<SenderKey> {
    let is_batch = body.trim_ascii_start().starts_with(b"[");
    let events: Vec<Named> = if is_batch {
        serde_json::from_slice(body).ok()?
    } else {
        vec![named(body)?]
    };
    let names = events.iter().map(|event| {
        Some(cloud_event(
            event.source.get().unwrap_or_default(),
            event.id.get()?,
        ))
    });
    first_and_last(names)
}

/// What names a `CloudEvent`.
pub(super) fn cloud_event(source: &str, id: &str) -> String {
    format!("{source} {id}")
}

/// Names several by the first and the last: what was sent together once is so again.
fn first_and_last(mut names: impl DoubleEndedIterator<Item = Option<String>>) -> Option<SenderKey> {
    let first = names.next()??;
    match names.next_back() {
        Some(last) => SenderKey::parse(&format!("{first}/{}", last?)),
        None => SenderKey::parse(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: Option<SenderKey>) -> Option<String> {
        key.map(|key| key.as_str().to_owned())
    }

    #[test]
    fn what_a_body_is_called() {
        let body = br#"{"id": "a", "requestid": "b", "source": "s", "events": [{"id": "c"}, {"id": "d"}, {"id": 5}]}"#;
        assert_eq!(text(id(body)).as_deref(), Some("a"));
        assert_eq!(text(request(body)).as_deref(), Some("b"));
        assert_eq!(text(of_events(body)).as_deref(), Some("c/5"));
        assert_eq!(text(of_cloud_events(body)).as_deref(), Some("s a"));
        let batch = br#"[{"id": "a", "source": "s"}, {"id": "b", "source": "t"}]"#;
        assert_eq!(text(of_cloud_events(batch)).as_deref(), Some("s a/t b"));
        for nothing in [
            &b"{}"[..],
            b"",
            b"[]",
            b"[5]",
            b"{\"id\": \"\", \"events\": []}",
        ] {
            assert_eq!(id(nothing), None);
            assert_eq!(request(nothing), None);
            assert_eq!(of_events(nothing), None);
            assert_eq!(of_cloud_events(nothing), None);
        }
        let long = format!(r#"{{"id": "{}"}}"#, "a".repeat(1000));
        assert_eq!(id(long.as_bytes()), None);
    }
}
