//! The adapters of Kubernetes, and the program, against a real API server.

#![cfg(test)]
#![cfg(feature = "server")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod reading;
mod support;
mod support_check;
