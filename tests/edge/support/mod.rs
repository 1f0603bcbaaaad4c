//! What the tests share.

pub(crate) mod client;
pub(crate) mod files;
pub(crate) mod http2_frame;
pub(crate) mod intake;
pub(crate) mod log;
pub(crate) mod meter;
pub(crate) mod server;
pub(crate) mod tools;
pub(crate) mod wire;
