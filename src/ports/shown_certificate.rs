//! The certificate that a client showed when it connected.

use async_trait::async_trait;

/// A certificate that one of our authorities made for whoever is at the other end of a connection. The connection may outlive what it proves.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ShownCertificate: Send + Sync {
    /// Whether it counts now: it has not expired, and the authorities are those of the handshake.
    fn counts(&self) -> bool;

    /// Returns when it counts no more.
    async fn lapsed(&self);
}
