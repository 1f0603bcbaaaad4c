//! The domain: what a registry's event means for which Application.
//!
//! Everything here is pure and synchronous. There is no I/O, clock, environment, logging or serialisation; time and knowledge come in
//! as values. A value is parsed once and cannot be invalid afterwards.

pub mod annotations;
pub mod application;
pub mod change;
pub mod configured_image;
pub mod constraint;
pub mod delivery;
pub mod event;
pub mod glob;
pub mod image_updater;
pub mod inheritance;
pub mod kustomize_image;
pub mod policy;
pub mod rate_policy;
pub mod reference;
pub mod resource;
pub mod resources;
pub mod secret_policy;
pub mod selector;
pub mod sender;
pub mod specificity;
pub mod tag_filter;
pub mod version;
