//! Adapters: one technology each.

pub mod config;
pub mod secrets;
pub mod senders;
