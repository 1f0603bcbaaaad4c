//! The adapters of Kubernetes, and the program, against a real API server.

#![cfg(test)]
#![cfg(feature = "server")]

mod contract;
mod lease;
mod reading;
mod status;
mod support;
mod support_check;
mod writing;
