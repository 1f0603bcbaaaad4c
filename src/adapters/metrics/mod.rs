//! Metrics for [Prometheus](https://prometheus.io), under the Go program's names.
//!
//! | what | where |
//! |---|---|
//! | what is counted as it happens, of ImageUpdaters and registries | [`meters`] |
//! | of deliveries | [`deliveries`] |
//! | of the work on them | [`work`] |
//! | of turns at a rate | [`waits`] |
//! | what is looked up when somebody reads | [`seen`] |
//! | the text | [`page`] |
//!
//! `docs/METRICS.md` lists all of them; a test keeps the list true.

pub mod deliveries;
pub mod meters;
pub mod page;
pub mod seen;
pub mod waits;
pub mod work;
