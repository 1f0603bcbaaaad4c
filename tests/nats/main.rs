//! The queue that replicas share, on a real server: who works on what, and what outlives whom.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

#[path = "../support/nats.rs"]
mod nats_server;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../journal/support.rs"]
#[expect(dead_code, reason = "the tests of the journal use all of it")]
mod support;

/// Certificates.
#[path = "../edge/support"]
#[expect(dead_code, reason = "the tests of the edge use all of it")]
mod certificates {
    pub(crate) mod files;
}
mod cluster;
mod crash;
#[path = "../program/deliver.rs"]
mod deliver;
#[path = "../program/folder.rs"]
mod folder;
mod log;
mod mutual;
mod outage;
mod program;
mod replica;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
mod sharing;
mod stream;
mod unheard;
