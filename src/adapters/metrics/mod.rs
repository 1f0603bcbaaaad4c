//! Metrics for [Prometheus](https://prometheus.io), under the Go program's names.
//!
//! | what | where |
//! |---|---|
//! | what is counted as it happens | [`meters`] |
//! | what is looked up when somebody reads, and the text | [`page`] |
//!
//! `docs/METRICS.md` lists all of them; a test keeps the list true.

pub mod meters;
pub mod page;
