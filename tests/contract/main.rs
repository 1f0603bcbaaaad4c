//! One suite for each port that more than one adapter serves: a fake that passes it cannot drift from the real thing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod event_queue;
mod event_queue_on_disk;
mod event_queue_on_nats;
#[path = "../support/nats.rs"]
#[expect(dead_code, reason = "the tests of the queue use all of it")]
mod nats;
#[path = "../support/peers.rs"]
mod peers;
mod resources;
mod resources_in_manifests;
mod resources_in_memory;
mod secret_reader;
mod secrets_in_manifests;
