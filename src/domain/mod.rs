//! The domain: what a registry's event means for which Application.
//!
//! Everything here is pure and synchronous. There is no I/O, clock, environment, logging or serialisation; time and knowledge come in
//! as values. A value is parsed once and cannot be invalid afterwards.
//!
//! | about | modules |
//! |---|---|
//! | names of images | [`mod@reference`], [`kustomize_image`] |
//! | what comes in | [`admission`], [`sender`], [`delivery`], [`secret_policy`], [`event`], [`rate_policy`] |
//! | what is known | [`resources`], [`registry`] |
//! | which Applications follow which images | [`tracking`] |
//! | which version is wanted | [`policy`] |
//! | how it waits, and what becomes of it | [`queue`] |
//! | what is to be done | [`judgement`], [`edits`], [`change`], [`commit`] |
//! | what people are told in the cluster | [`status`] |
//! | how connections are secured | [`tls`] |

pub mod admission;
pub mod change;
pub mod commit;
pub mod delivery;
mod dns_label;
pub mod edits;
pub mod event;
pub mod judgement;
pub mod kustomize_image;
pub mod lease;
pub mod pairs;
pub mod policy;
pub mod queue;
pub mod rate_policy;
pub mod reference;
pub mod registry;
pub mod resources;
pub mod secret_policy;
pub mod sender;
pub mod status;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
pub mod tracking;
