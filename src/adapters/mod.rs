//! Adapters: one technology each.

pub mod manifests;
pub mod memory;
pub mod wire;
