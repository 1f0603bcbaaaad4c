//! What was accepted: how it waits, and what becomes of it.
//!
//! The rules are here, without a place to keep anything; a queue in memory, on disk or on other machines keeps to them.

pub mod accepted;
pub mod entry;
pub mod fate;
pub mod lines;
pub mod record;
