//! Use cases, settings, life cycle.

pub mod settings;
