//! Adapters: one technology each, behind the ports. They know no sibling but [`wire`], `mounted_file` and `tokio_clock`, and no use case; only `app::wiring` knows them.

pub mod commit_template;
pub mod config;
pub mod cosign;
pub mod credentials;
pub mod delivery_socket;
pub mod http;
pub mod journal;
pub mod kubernetes;
pub mod manifests;
pub mod memory;
pub mod metrics;
mod mounted_file;
pub mod nats;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod pace;
pub mod registries_conf;
pub mod registry;
pub mod secrets;
pub mod senders;
pub mod tls;
mod tokio_clock;
pub mod webhook_client;
pub mod wire;
