//! A meter that can be read.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use image_updater::ports::refusal_meter::RefusalMeter;

/// What was counted.
#[derive(Default)]
pub(crate) struct FakeMeter {
    limited: AtomicUsize,
    silent: AtomicUsize,
}

impl FakeMeter {
    /// Requests that were answered 429.
    pub(crate) fn limited(&self) -> usize {
        self.limited.load(Ordering::Relaxed)
    }

    /// Connections without a request.
    pub(crate) fn silent(&self) -> usize {
        self.silent.load(Ordering::Relaxed)
    }
}

impl RefusalMeter for FakeMeter {
    fn limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    fn silent(&self) {
        self.silent.fetch_add(1, Ordering::Relaxed);
    }
}
