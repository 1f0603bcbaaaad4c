//! Credentials for registries, from wherever they are said to be.
//!
//! | what | where |
//! |---|---|
//! | the port | [`reader`] |
//! | `user:password` | `login` |
//! | a program that prints it | `script` |
//! | a Docker configuration | [`docker_config`], looked up by `registry_key` |

pub mod docker_config;
pub mod reader;

mod login;
mod registry_key;
mod script;
