//! The registries that are in force: those of the start, until their description changes to another that can be used.

pub mod live;
