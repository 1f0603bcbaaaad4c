//! The client of registries: against a scripted registry, which does what a real one does rarely, and against the real one of the distribution
//! project.

#![cfg(test)]
#![cfg(feature = "server")]

mod access;
mod builds;
mod distribution;
mod failures;
mod lists;
#[path = "../support/peers.rs"]
mod peers;
mod proxy;
mod pull_secrets;
mod referrers;
#[path = "../support/registry.rs"]
mod registry;
mod scripted;
mod secrecy;
mod sharing;
mod signatures;
#[path = "../support/signer.rs"]
#[expect(dead_code, reason = "the tests of the program use all of it")]
mod signer;
mod support;
mod tokens;
mod trust;
