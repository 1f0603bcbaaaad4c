//! The HTTP side: our own accept loop on hyper, and warp's filters for the routes.
//!
//! It takes deliveries, hands them to the [intake](crate::ports::webhook_intake) and answers what became of them. It knows nothing of
//! TLS: whoever [serves](server::serve) gives it a way to accept.

mod access_log;
mod activity;
mod answer;
mod arrival;
mod body;
mod client;
mod connection;
mod delivery_id;
mod end_error;
pub mod limits;
pub mod metrics;
pub mod readiness;
mod refusal;
mod room;
mod routes;
pub mod server;
mod sources;
mod watched;
mod watched_stream;
