//! One line for each request. It holds nothing of the query, the headers or the body except the type that the sender gave itself, and of
//! that and the path no more than can be meant.

use http::StatusCode;

use super::answer::Answer;
use super::arrival::Arrival;

/// Writes the line: for people to see where it did not go well. Of a delivery that did, the intake tells more.
pub(super) fn write(arrival: &Arrival, answer: &Answer, method: &str) {
    let status = answer.status.as_u16();
    let sender = answer.sender.as_deref().unwrap_or_default();
    let Arrival {
        id,
        client,
        source,
        path,
        ..
    } = arrival;
    let remote = client.peer;
    // Of too many there is one line about all of them.
    if answer.status.is_success() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        tracing::debug!(
            delivery = %id, status, r#type = harmless(sender), method, path = harmless(path), %remote, %source,
            duration = ?arrival.at.elapsed(),
            "request answered"
        );
    } else {
        tracing::info!(
            delivery = %id, status, r#type = harmless(sender), method, path = harmless(path), %remote, %source,
            reason = answer.reason(), duration = ?arrival.at.elapsed(),
            "request answered"
        );
    }
}

/// The start of a type or a path, up to what neither of ours has. In `/webhook&type=x&secret=y` and `type=x?secret=y` a secret comes after
/// it: a mistyped URL must not bring one into the log.
fn harmless(text: &str) -> &str {
    const LONGEST: usize = 64;
    const OURS: [char; 4] = ['/', '.', '-', '_'];
    let foreign = text.find(|c: char| !c.is_ascii_alphanumeric() && !OURS.contains(&c));
    &text[..foreign.unwrap_or(text.len()).min(LONGEST)]
}
