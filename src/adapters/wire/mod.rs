//! Wire formats alone, without I/O: the Kubernetes objects as JSON values.
//!
//! An object is read to its end, so that everything that is wrong with it is said at once, each with the path of its field.

pub mod application;
pub mod crd;
pub mod field_path;
pub mod findings;
pub mod image_updater;
pub mod image_updater_status;
pub mod journal;

mod field;
mod metadata;
mod update_settings;
