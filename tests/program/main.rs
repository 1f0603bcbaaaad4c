//! The program as its users run it: a child process, real sockets, files on disk.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod commands;
#[path = "../support/counting.rs"]
#[expect(dead_code, reason = "the tests of Kubernetes use all of it")]
mod counting;
mod deliver;
#[path = "../journal/support.rs"]
#[expect(dead_code, reason = "the tests of the journal use all of it")]
mod deliveries;
mod dry_run;
/// Certificates.
#[path = "../edge/support"]
#[expect(dead_code, reason = "the tests of the edge use all of it")]
mod edge {
    pub(crate) mod files;
}
mod event;
mod folder;
mod journal;
mod life_cycle;
mod live;
mod metrics;
mod once;
#[path = "../support/peers.rs"]
mod peers;
mod probes;
mod pushes;
mod registries;
#[path = "../support/registry.rs"]
#[expect(
    dead_code,
    reason = "the tests of the client use all of it, and fail by panicking"
)]
mod registry;
mod scene;
#[path = "../registry/scripted.rs"]
#[expect(dead_code, reason = "the tests of the registry client use more of it")]
mod scripted;
mod secrets;
mod server;
mod signatures;
#[path = "../support/signer.rs"]
mod signer;
mod template;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
mod trial;
#[cfg(not(feature = "otlp"))]
mod untraced;
