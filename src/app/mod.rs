//! The application: use cases, settings and life cycle. Only `wiring` names a concrete adapter.

pub mod intake;
pub mod send;
pub mod settings;
pub mod shutdown;
pub mod updater;
