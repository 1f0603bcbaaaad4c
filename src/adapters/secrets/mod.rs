//! Sources of webhook secrets.

pub mod memory;
pub mod mounted;
mod secret_file;
