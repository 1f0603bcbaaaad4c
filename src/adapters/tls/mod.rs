//! TLS for the listening side: versions and suites as [`TlsPolicy`](crate::domain::tls::TlsPolicy) says, and a certificate that
//! is replaced while it is served.
//!
//! rustls serves TLS 1.2 and 1.3. What it does not have is served by OpenSSL, in builds with the feature `tls11`, and only where the
//! policy asks for it.

pub mod acceptor;
mod certificate;
mod client_ca;
mod client_ca_watch;
pub mod error;
mod expiry;
pub mod folder;
mod leaf;
#[cfg(feature = "tls11")]
mod openssl_acceptor;
pub mod plain_acceptor;
pub mod reload;
mod rustls_acceptor;
mod self_signed;
pub mod setup;
mod shown;
mod sources;

use crate::domain::tls::Capabilities;

/// What this build can serve.
pub const CAPABILITIES: Capabilities = Capabilities {
    tls11: cfg!(feature = "tls11"),
};
