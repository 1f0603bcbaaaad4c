//! Sources of webhook secrets.

#[cfg(test)]
mod contract;
pub mod memory;
pub mod mounted;
mod secret_file;
