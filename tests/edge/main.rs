//! The edge over real sockets: every answer, every limit, every way TLS is served, and how it ends.

#![cfg(test)]
#![cfg(feature = "server")]

mod answers;
mod certificates;
mod client_certificates;
mod crowd;
mod drain;
mod framing;
mod gone;
mod handshakes;
mod hostile;
mod hostile_http2;
mod hostile_json;
mod http2;
#[cfg(feature = "tls11")]
mod legacy;
mod limits;
mod metrics;
mod refusals;
mod secrecy;
mod sources;
mod support;
mod unread;
mod watching;
