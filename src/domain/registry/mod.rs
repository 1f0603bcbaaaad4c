//! What registries are asked, with which credentials, and what they answered.

pub mod access;
pub mod answer;
pub mod credential_source;
pub mod default_registry;
pub mod endpoint;
pub mod inquiry;
pub mod knowledge;
pub mod platform;
pub mod question;
