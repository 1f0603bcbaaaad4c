//! The ports: what the domain's use cases ask of the world, and what the world may ask of them.
//!
//! | port | direction | adapters |
//! |---|---|---|
//! | [`webhook_intake`] | driving | called by `adapters::http` |
//! | [`payload_decoder`] | driven | one file each in `adapters::senders` |
//! | [`secret_source`] | driven | `adapters::secrets`, `adapters::kubernetes` |
//! | [`config_source`] | driven | `adapters::config`, `adapters::kubernetes` |
//! | [`certificate_source`] | driven | `adapters::tls`, `adapters::kubernetes` |
//! | [`event_queue`] | driven | `adapters::memory` |
//! | [`pace`] | driven | `adapters::pace` |
//! | [`delivery_log`] | driven | `adapters::journal` |
//! | [`resource_reader`] | driven | `adapters::kubernetes`, `adapters::manifests` |
//! | [`update_trigger`] | driven | `adapters::kubernetes`, `adapters::manifests` |
//! | [`status_writer`] | driven | `adapters::kubernetes` |
//! | [`announcer`] | driven | `adapters::kubernetes` |
//! | [`registry_client`], [`artifact_reader`] | driven | `adapters::registry` |
//! | [`registries_source`] | driven | `adapters::registries_conf` |
//! | [`credential_reader`] | driven | `adapters::credentials` |
//! | [`secret_reader`] | driven | `adapters::kubernetes`, `adapters::manifests` |
//! | [`signature_verifier`] | driven | `adapters::cosign` |
//! | [`meter`], [`registry_meter`], [`pace_meter`] | driven | `adapters::metrics` |
//! | [`delivery_watcher`], [`work_watcher`] | driven | `adapters::metrics`, `adapters::otlp` |
//! | [`backlog_view`] | driven | `app::seeing` |
//! | [`certificate_expiry`], [`shown_certificate`] | driven | `adapters::tls` |
//! | [`meter`], [`registry_meter`], [`refusal_meter`] | driven | `adapters::metrics` |
//! | [`metrics_page`] | driving | called by `adapters::http`, written by `adapters::metrics` |
//! | [`api_calls`] | driven | `adapters::kubernetes` |
//! | [`access_reviewer`] | driven | `adapters::kubernetes` |
//! | [`webhook_client`] | driven | `adapters::webhook_client` |

pub mod access_reviewer;
pub mod announcer;
pub mod api_calls;
pub mod artifact_reader;
pub mod backlog_view;
pub mod certificate_expiry;
pub mod certificate_source;
pub mod config_source;
pub mod credential_reader;
pub mod delivery_log;
pub mod delivery_watcher;
pub mod event_queue;
pub mod lease_store;
pub mod meter;
pub mod metrics_page;
pub mod pace;
pub mod pace_meter;
pub mod payload_decoder;
pub mod refusal_meter;
pub mod registries_source;
pub mod registry_client;
pub mod registry_meter;
pub mod resource_reader;
pub mod secret_reader;
pub mod secret_source;
pub mod shown_certificate;
pub mod signature_verifier;
pub mod status_writer;
pub mod tell_error;
pub mod update_trigger;
pub mod webhook_client;
pub mod webhook_intake;
pub mod work_watcher;
