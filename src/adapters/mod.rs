//! Adapters: one technology each.

pub mod tls;
