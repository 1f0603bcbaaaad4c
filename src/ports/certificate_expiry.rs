//! How long the certificate that is served can be.

/// Knows until when the certificate that is served is valid.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait CertificateExpiry: Send + Sync {
    /// The last second in which it is valid, as seconds since 1970; `None` where that cannot be read from it.
    fn not_after(&self) -> Option<i64>;
}
