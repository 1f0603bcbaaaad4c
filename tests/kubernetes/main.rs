//! The adapters of Kubernetes, and the program, against a real API server.

#![cfg(test)]
#![cfg(feature = "server")]

mod contract;
#[path = "../program/deliver.rs"]
#[expect(dead_code, reason = "it serves the tests of the program too")]
mod deliver;
mod lease;
mod memory;
/// A client that tells the certificate.
#[path = "../edge/support"]
#[expect(dead_code, reason = "it serves the tests of the edge too")]
mod edge {
    pub(crate) mod client;
    pub(crate) mod files;
    pub(crate) mod wire;
}
mod reading;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "it serves the tests of the program too")]
mod server;
mod settings;
mod support;
mod support_check;
