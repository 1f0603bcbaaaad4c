//! The deliveries of a running process, for another one on the same machine: a Unix socket in the state folder.
//!
//! Whoever may open the socket may ask; it is the owner's alone. A question is a line of JSON, and so is its answer.

pub mod client;
mod form;
pub mod server;

/// The socket in the state folder.
const NAME: &str = "deliveries.sock";
