//! ImageUpdaters and Applications in a cluster, through the Kubernetes API.
//!
//! | what | where |
//! |---|---|
//! | the connection | [`client`]; errors of it in words: `reason` |
//! | the ports | [`resources`] |
//! | what an answer of the API is read into | [`slim_object`], by a `mask` |
//! | what is known | `store`, of the sets of objects of single watches: `set`, each an `entry` with its `version` |
//! | how it is kept up to date | a `watch` of each kind in each namespace of the [`scope`] |

pub mod client;
pub mod resources;
pub mod scope;
pub mod slim_object;

mod entry;
mod mask;
mod reason;
mod retry;
mod set;
mod store;
#[cfg(test)]
mod testing;
mod version;
mod watch;
