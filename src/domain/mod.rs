//! The domain: what a registry's event means for which Application.
//!
//! Everything here is pure and synchronous. There is no I/O, clock, environment, logging or serialisation; time and knowledge come in
//! as values. A value is parsed once and cannot be invalid afterwards.

pub mod annotations;
pub mod application;
pub mod application_images;
pub mod change;
pub mod cipher_suite;
pub mod configured_image;
pub mod constraint;
pub mod delivery;
pub mod edits;
pub mod event;
pub mod glob;
pub mod hindrance;
pub mod image_rule;
pub mod image_target;
pub mod image_updater;
pub mod index;
pub mod inheritance;
pub mod judgement;
pub mod kustomize_image;
pub mod live_image;
pub mod live_images;
pub mod neighbours;
pub mod outlet;
pub mod policy;
pub mod problem;
pub mod problem_ledger;
pub mod rate_policy;
pub mod reference;
pub mod resource;
pub mod resources;
pub mod secret_policy;
pub mod selector;
pub mod sender;
pub mod source_kind;
pub mod spec_version;
pub mod specificity;
pub mod tag_filter;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls_policy;
pub mod tracked_image;
pub mod updater_rules;
pub mod version;
pub mod write_back;
