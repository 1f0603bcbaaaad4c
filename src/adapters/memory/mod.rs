//! Ports in memory.

pub mod resources;
