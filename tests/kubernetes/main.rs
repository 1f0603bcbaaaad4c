//! The adapters of Kubernetes, and the program, against a real API server.

#![cfg(test)]
#![cfg(feature = "server")]

mod chart;
mod contract;
mod crd;
#[path = "../program/deliver.rs"]
mod deliver;
mod install;
mod lease;
mod memory;
mod reading;
#[path = "../program/server.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod server;
mod status;
mod support;
mod support_check;
mod waiting;
mod writing;
