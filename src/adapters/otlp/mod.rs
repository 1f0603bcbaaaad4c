//! Traces for [OpenTelemetry](https://opentelemetry.io), by OTLP over HTTP (feature `otlp`).
//!
//! A delivery makes one trace, from its receipt to what is written for it. It is part of the sender's, where the sender says `traceparent`.
//!
//! | what | where |
//! |---|---|
//! | which spans there are | [`traces`] |
//! | what is known of a delivery on its way | `under_way` |
//! | the sender's part of a trace | `parent` |
//! | sending | [`collector`] |

pub mod collector;
mod parent;
pub mod traces;
mod under_way;
