//! Adapters: one technology each, behind the ports. They know no sibling and no use case; only `app::wiring` knows them.

pub mod memory;
pub mod pace;
pub mod webhook_client;
//! Adapters: one technology each.

pub mod senders;
pub mod tls;
pub mod config;
pub mod secrets;
pub mod manifests;
pub mod wire;
