//! The Kubernetes API: ImageUpdaters and Applications in a cluster, and what else the program does there.
//!
//! | what | where |
//! |---|---|
//! | the connection | [`client`]; errors of it in words: `reason` |
//! | the ports | [`resources`] |
//! | what is told there | [`status_writer`], [`events`] |
//! | what an answer of the API is read into | [`slim_object`], by a `mask` |
//! | what is known | `store`, of the sets of objects of single watches: `set`, each an `entry` with its `version` |
//! | settings, secrets and the certificate | a [`followed_object`] for each, by its values (`keyed`); `object_sources`, [`secrets`] |
//! | how it is written | a `trigger`, which sends a `patch` for each change |
//! | how it is written | a `trigger`, which sends a `patch` for each change; its failures: `write_error` |
//! | how it is kept up to date | a `watch` of each kind in each namespace of the [`scope`] |
//! | Secrets that resources name | [`secret_reader`] |
//! | who leads | [`lease`] |
//! | what the Go program left on ImageUpdaters | [`finalizer`] |

pub mod client;
pub mod events;
pub mod finalizer;
pub mod followed_object;
pub mod lease;
pub mod resources;
pub mod scope;
pub mod secret_reader;
pub mod secrets;
pub mod slim_object;
pub mod status_writer;

mod entry;
mod keyed;
mod mask;
mod object_sources;
mod patch;
mod reason;
mod retry;
mod set;
mod store;
mod tell_error;
#[cfg(test)]
mod testing;
mod trigger;
mod version;
mod watch;
mod write_error;
