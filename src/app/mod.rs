//! The application: use cases, settings and life cycle. Only `wiring` names a concrete adapter.

pub mod cli;
pub mod deliveries;
pub mod intake;
pub mod leadership;
pub mod metrics_access;
pub mod polling;
pub mod quickstart;
pub mod registries;
pub mod seeing;
mod seen_twice;
pub mod send;
pub mod settings;
pub mod shutdown;
pub mod status;
pub mod telemetry;
pub mod trial;
pub mod updater;
pub mod wiring;
