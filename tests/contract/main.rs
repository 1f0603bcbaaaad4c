//! One suite for each port that more than one adapter serves: a fake that passes it cannot drift from the real thing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod delivery_log;
mod delivery_log_on_disk;
mod delivery_log_on_nats;
mod event_queue;
mod event_queue_on_disk;
mod event_queue_on_nats;
#[path = "../support/nats.rs"]
#[expect(dead_code, reason = "the tests of the queue use all of it")]
mod nats_server;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../nats/replica.rs"]
#[expect(dead_code, reason = "the tests of the queue use all of it")]
mod replica;
mod resources;
mod resources_in_manifests;
mod resources_in_memory;
mod secret_reader;
mod secrets_in_manifests;
#[path = "../journal/support.rs"]
#[expect(dead_code, reason = "the tests of the journal use all of it")]
mod support;
