//! An image updater for Argo CD: a container registry says "pushed", and the right Applications run the new image.
//!
//! * [`domain`]: the decisions, pure and synchronous.
//! * [`ports`]: the traits through which they meet the world.
//! * `adapters`: one technology each (feature `server`).
//! * `app`: the use cases, their settings and their life cycle (feature `server`).
//!
//! Without the default feature `server` the crate is `domain` and `ports` alone, for programs that bring adapters of their own.

#[cfg(feature = "server")]
pub mod adapters;
#[cfg(feature = "server")]
pub mod app;
pub mod domain;
pub mod ports;
