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
#[path = "../registry/scripted.rs"]
#[expect(dead_code, reason = "the tests of the registry client use more of it")]
mod scripted;
mod secrets;
mod server;
mod template;
mod tls;
mod trial;
