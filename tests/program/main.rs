//! The program as its users run it: a child process, real sockets, files on disk.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod commands;
mod deliver;
mod dry_run;
mod event;
mod folder;
mod life_cycle;
mod live;
mod metrics;
mod probes;
#[path = "../support/registry.rs"]
#[expect(dead_code, reason = "the tests of registries use all of it")]
mod real;
mod registries;
mod secrets;
mod server;
mod signatures;
mod tls;
