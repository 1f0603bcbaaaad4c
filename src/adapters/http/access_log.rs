//! One line for each request. It holds nothing of the query, the headers or the body except the type that the sender gave itself.

use http::StatusCode;

use super::answer::Answer;
use super::arrival::Arrival;

/// Writes the line.
pub(super) fn write(arrival: &Arrival, answer: &Answer, method: &str) {
    let status = answer.status.as_u16();
    let Arrival { id, peer, path, .. } = arrival;
    if is_probe(path) && answer.status == StatusCode::OK {
        tracing::debug!(delivery = %id, status, method, path, remote = %peer, duration = ?arrival.at.elapsed(), "request answered");
    } else {
        let sender = answer.sender.as_deref().unwrap_or_default();
        tracing::info!(
            delivery = %id, status, r#type = sender, method, path, remote = %peer, duration = ?arrival.at.elapsed(),
            "request answered"
        );
    }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}
