//! Adapters: one technology each.

pub mod http;
pub mod tls;
