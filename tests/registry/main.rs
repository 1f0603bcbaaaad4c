//! The client of registries: against a scripted registry, which does what a real one does rarely, and against the real one of the distribution
//! project.

#![cfg(test)]
#![cfg(feature = "server")]

mod access;
mod builds;
mod distribution;
mod failures;
mod lists;
mod proxy;
#[path = "../support/registry.rs"]
mod real;
mod scripted;
mod secrecy;
mod sharing;
mod support;
mod tokens;
mod trust;
