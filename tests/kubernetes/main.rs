//! The adapters of Kubernetes, and the program, against a real API server.

#![cfg(test)]
#![cfg(feature = "server")]

mod chart;
mod contract;
#[path = "../support/counting.rs"]
mod counting;
mod crd;
mod crowd;
#[path = "../program/deliver.rs"]
mod deliver;
mod dry_run;
/// A client that tells the certificate.
#[path = "../edge/support"]
#[expect(dead_code, reason = "it serves the tests of the edge too")]
mod edge {
    pub(crate) mod client;
    pub(crate) mod files;
    pub(crate) mod wire;
}
mod end_to_end;
mod install;
mod lease;
mod manifests;
mod memory;
mod metrics;
#[path = "../support/peers.rs"]
mod peers;
mod permissions;
mod polling;
#[path = "../../benches/support/process.rs"]
#[expect(dead_code, reason = "the benchmarks ask for the time, too")]
mod process;
mod pushes;
mod reading;
#[path = "../support/registry.rs"]
#[expect(dead_code, reason = "the tests of the client use all of it")]
mod registry;
mod scene;
mod secrets;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
mod settings;
mod status;
mod support;
mod support_check;
#[expect(dead_code, reason = "the benchmark uses all of it")]
mod town;
mod waiting;
mod writing;
