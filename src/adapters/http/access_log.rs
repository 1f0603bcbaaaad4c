//! One line for each request. It holds nothing of the query, the headers or the body except the type that the sender gave itself, and of
//! that and the path no more than can be meant.

use http::StatusCode;

use super::answer::Answer;
use super::arrival::Arrival;

/// Writes the line.
pub(super) fn write(arrival: &Arrival, answer: &Answer, method: &str) {
    let duration = arrival.at.elapsed();
    let status = answer.status.as_u16();
    let Arrival { id, peer, path, .. } = arrival;
    if is_probe(path) && answer.status == StatusCode::OK {
        tracing::debug!(delivery = %id, status, method, path, remote = %peer, ?duration, "request answered");
    } else {
        let sender = harmless(answer.sender.as_deref().unwrap_or_default());
        let path = harmless(path);
        tracing::info!(
            delivery = %id, status, r#type = sender, method, path, remote = %peer, ?duration,
            "request answered"
        );
    }
}

/// The start of a type or a path, up to what neither of ours has. In `/webhook&type=x&secret=y` and `type=x?secret=y` a secret comes after
/// it: a mistyped URL must not bring one into the log.
fn harmless(text: &str) -> &str {
    const OURS: [char; 4] = ['/', '.', '-', '_'];
    let is_foreign = |c: char| !c.is_ascii_alphanumeric() && !OURS.contains(&c);
    text.split(is_foreign).next().unwrap_or_default()
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}
