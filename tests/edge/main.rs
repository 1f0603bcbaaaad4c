//! The edge over real sockets: every answer, every limit, every way TLS is served, and how it ends.

#![cfg(test)]
#![cfg(feature = "server")]

mod answers;
mod certificates;
mod crowd;
mod drain;
mod framing;
mod handshakes;
mod http2;
#[cfg(feature = "tls11")]
mod legacy;
mod limits;
mod metrics;
mod refusals;
mod secrecy;
mod support;
mod watching;
