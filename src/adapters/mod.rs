//! Adapters: one technology each.

pub mod senders;
