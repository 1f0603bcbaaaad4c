//! Whether deliveries should be sent here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A switch that `/readyz` shows. Clones are one switch. While it is off, deliveries are still taken, but every answer asks the client to
/// connect anew for the next one.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Sets it; it starts switched off.
    pub fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Relaxed);
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
