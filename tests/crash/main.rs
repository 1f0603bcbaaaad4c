//! What survives `kill -9` at any moment, under load. The number of rounds is in `IMAGE_UPDATER_ROUNDS`; without it there are a few.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

#[path = "../program/deliver.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod deliver;
#[path = "../program/folder.rs"]
mod folder;
mod journal;
mod nats;
#[path = "../support/nats.rs"]
#[expect(dead_code, reason = "the tests of the queue use all of it")]
mod nats_server;
#[path = "../support/peers.rs"]
mod peers;
mod rounds;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
