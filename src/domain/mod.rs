//! The domain: what a registry's event means for which Application.
//!
//! Everything here is pure and synchronous. There is no I/O, clock, environment, logging or serialisation; time and knowledge come in
//! as values. A value is parsed once and cannot be invalid afterwards.

pub mod application;
pub mod change;
pub mod cipher_suite;
pub mod constraint;
pub mod delivery;
pub mod event;
pub mod glob;
pub mod image_updater;
pub mod policy;
pub mod rate_policy;
pub mod reference;
pub mod resource;
pub mod resources;
pub mod secret_policy;
pub mod sender;
pub mod tag_filter;
pub mod tls_policy;
pub mod version;
