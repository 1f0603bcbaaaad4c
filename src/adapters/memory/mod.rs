//! Ports served from memory.

pub mod event_queue;
pub mod resources;
