//! One line for each request. It holds nothing of the query, the headers or the body except the type that the sender gave itself.

use super::answer::Answer;
use super::arrival::Arrival;

/// Writes the line: for people to see where it did not go well. Of a delivery that did, the intake tells more.
pub(super) fn write(arrival: &Arrival, answer: &Answer, method: &str) {
    let duration = arrival.at.elapsed();
    let status = answer.status.as_u16();
    let sender = answer.sender.as_deref().unwrap_or_default();
    let Arrival { id, peer, path, .. } = arrival;
    if answer.status.is_success() {
        tracing::debug!(
            delivery = %id, status, r#type = sender, method, path, remote = %peer, ?duration,
            "request answered"
        );
    } else {
        tracing::info!(
            delivery = %id, status, r#type = sender, method, path, remote = %peer, ?duration,
            "request answered"
        );
    }
}
