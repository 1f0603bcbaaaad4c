//! Until when the certificate that is served is valid, for those who ask.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use super::leaf::Leaf;
use crate::ports::certificate_expiry::CertificateExpiry;

/// The expiry of the certificate that is served now.
pub(super) struct ServedExpiry(Mutex<Option<i64>>);

impl ServedExpiry {
    pub(super) fn of(leaf: Option<&Leaf>) -> Self {
        Self(Mutex::new(leaf.map(Leaf::not_after)))
    }

    /// Another certificate is served from now on.
    pub(super) fn take(&self, leaf: Option<&Leaf>) {
        *self.time() = leaf.map(Leaf::not_after);
    }

    fn time(&self) -> MutexGuard<'_, Option<i64>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CertificateExpiry for ServedExpiry {
    fn not_after(&self) -> Option<i64> {
        *self.time()
    }
}
