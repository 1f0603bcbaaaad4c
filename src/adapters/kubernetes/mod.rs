//! The Kubernetes API.

pub mod lease;
