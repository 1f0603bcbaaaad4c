//! What is known of a request when it arrives.

use std::net::SocketAddr;

use http::{Request, Version};
use tokio::time::Instant;

use super::delivery_id;
use crate::domain::delivery::DeliveryId;

/// A request's name and circumstances.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Our name for it.
    pub(super) id: DeliveryId,
    /// The other end of the connection, which may be a proxy.
    pub(super) peer: SocketAddr,
    /// When its head was complete.
    pub(super) at: Instant,
    /// The length of its head.
    pub(super) head_bytes: usize,
    /// The HTTP version that it speaks.
    pub(super) version: Version,
    /// The path without its query; empty where the target has none, as in `CONNECT host:443`. (warp's own filter panics at that.)
    pub(super) path: String,
}

impl Arrival {
    /// Names a request that has just come.
    pub(super) fn of<B>(request: &Request<B>, peer: SocketAddr) -> Self {
        Self {
            id: delivery_id::fresh(),
            peer,
            at: Instant::now(),
            head_bytes: head_bytes(request),
            version: request.version(),
            path: request.uri().path().to_owned(),
        }
    }
}

/// The length of the head as HTTP/1.1 writes it. HTTP/2 packs it, so there it is what the head would have been.
fn head_bytes<B>(request: &Request<B>) -> usize {
    const REQUEST_LINE: usize = "  HTTP/1.1\r\n".len();
    const FIELD: usize = ": \r\n".len();
    const END: usize = "\r\n".len();
    let uri = request.uri();
    let authority = uri.authority().map_or(0, |text| text.as_str().len());
    let target = uri.path_and_query().map_or(0, |text| text.as_str().len());
    let fields: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD)
        .sum();
    request.method().as_str().len() + authority + target + REQUEST_LINE + fields + END
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_as_long_as_it_was_on_the_wire() {
        let wire = "POST /webhook?type=x HTTP/1.1\r\nhost: a\r\nx-y: zz\r\nx-y: z\r\n\r\n";
        let request = Request::post("/webhook?type=x")
            .header("host", "a")
            .header("x-y", "zz")
            .header("x-y", "z")
            .body(())
            .unwrap();
        assert_eq!(head_bytes(&request), wire.len());
    }
}
