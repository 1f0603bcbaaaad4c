//! The program, killed at random moments under load. `IMAGE_UPDATER_ROUNDS` says how often; a few times where it does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

#[path = "../program/folder.rs"]
mod folder;
mod nats;
#[path = "../support/nats.rs"]
#[expect(dead_code, reason = "the tests of the queue use all of it")]
mod nats_server;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
