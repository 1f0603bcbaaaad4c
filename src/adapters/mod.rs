//! Adapters: one technology each.
