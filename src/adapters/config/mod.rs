//! Sources of settings: the environment and mounted folders.

pub mod environment;
pub mod mounted_folder;
