//! The queue that replicas share, on a real server: who works on what, and what outlives whom.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

#[path = "../support/nats.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
#[path = "../journal/support.rs"]
#[expect(dead_code, reason = "the tests of the journal use all of it")]
mod support;

mod crash;
mod log;
mod outage;
mod replica;
mod sharing;
