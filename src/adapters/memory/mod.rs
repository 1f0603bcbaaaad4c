//! Ports served from memory.

pub mod event_queue;
//! Ports in memory.

pub mod resources;
