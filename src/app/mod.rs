//! Use cases, settings, life cycle.

pub mod cli;
pub mod settings;
pub mod telemetry;
