//! Adapters: one technology each.

pub mod manifests;
pub mod wire;
