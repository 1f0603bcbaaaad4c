//! What is known of a request when it arrives.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request, Uri, Version};
use tokio::time::Instant;

use super::client::Client;
use super::delivery_id;
use crate::domain::admission::Origin;
use crate::domain::delivery::DeliveryId;
use crate::domain::pairs::Pairs;

/// A request's name and circumstances. Its headers may be secret, so it has no `Debug`.
pub(super) struct Arrival {
    /// Our name for it.
    pub(super) id: DeliveryId,
    /// The other end of the connection.
    pub(super) client: Client,
    /// Where it comes from: the other end, or the one for whom that speaks.
    pub(super) source: IpAddr,
    /// When its head was complete.
    pub(super) at: Instant,
    /// The length of its head.
    pub(super) head_bytes: usize,
    /// The HTTP version that it speaks.
    pub(super) version: Version,
    /// The path without its query; empty where the target has none, as in `CONNECT host:443`. (warp's own filter panics at that.)
    pub(super) path: String,
    /// The length that it announces for its body.
    pub(super) announced: Option<usize>,
    /// What it says, for the one who takes it: copying that for each reader would be a good part of a request's cost.
    texts: Mutex<Texts>,
}

/// What a request says beside its body.
#[derive(Default)]
pub(super) struct Texts {
    /// The headers that are text, their names in lower case.
    pub(super) headers: Pairs,
    /// The query, percent-decoded.
    pub(super) query: Pairs,
}

impl Arrival {
    /// Names a request that has just come. What says more than a head may have is refused, so nobody needs its texts.
    pub(super) fn of<B>(request: &Request<B>, client: &Client, max_head: usize) -> Self {
        let head_bytes = head_bytes(request);
        let texts = if head_bytes > max_head {
            Texts::default()
        } else {
            Texts {
                headers: headers(request.headers()),
                query: query(request.uri()),
            }
        };
        Self {
            id: delivery_id::fresh(),
            source: client.sources.of(client.peer, request.headers()),
            client: client.clone(),
            at: Instant::now(),
            head_bytes,
            version: request.version(),
            path: request.uri().path().to_owned(),
            announced: announced(request.headers()),
            texts: Mutex::new(texts),
        }
    }

    /// Names what could not be read as a request.
    pub(super) fn unread(client: &Client) -> Self {
        Self {
            id: delivery_id::fresh(),
            source: client.peer.ip(),
            client: client.clone(),
            at: Instant::now(),
            head_bytes: 0,
            version: Version::HTTP_11,
            path: String::new(),
            announced: None,
            texts: Mutex::default(),
        }
    }

    /// From where and how it comes.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            source: self.source,
            certificate: self.client.certificate(),
        }
    }

    /// What the request says. It is given once.
    pub(super) fn take_texts(&self) -> Texts {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut texts)
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn query(uri: &Uri) -> Pairs {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).collect()
}

fn headers(headers: &HeaderMap) -> Pairs {
    let mut texts = Pairs::with_capacity(headers.len());
    for (name, value) in headers {
        if let Ok(value) = str::from_utf8(value.as_bytes()) {
            texts.push(name.as_str(), value);
        }
    }
    texts
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

    /// Over HTTP/2 a few bytes can stand for many.
    #[test]
    fn nothing_is_copied_of_a_head_that_is_too_long() {
        let client = Client::unknown();
        let request = Request::post("/webhook?type=x").header("x-y", "z");
        let request = request.body(()).unwrap();
        let length = head_bytes(&request);
        let texts = |max| Arrival::of(&request, &client, max).take_texts();
        let Texts { headers, query } = texts(length);
        assert_eq!(headers.first("x-y"), Some("z"));
        assert_eq!(query.first("type"), Some("x"));
        let Texts { headers, query } = texts(length - 1);
        assert_eq!(headers.first("x-y"), None);
        assert_eq!(query.first("type"), None);
    }

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
