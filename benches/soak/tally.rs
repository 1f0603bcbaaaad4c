//! What happened so far. Its size does not grow.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::histogram::Histogram;
use crate::hostile::KINDS;
use crate::hostile::Kind;
use crate::plan::Sort;

/// How many complaints are kept word for word.
const COMPLAINTS: usize = 20;

/// Counters.
pub(crate) struct Tally {
    taken: [AtomicU64; Sort::ALL.len()],
    /// From the first byte that is sent until the delivery is answered 200, with all that comes between: over connections that are there, and
    /// over those that are made for it.
    latencies: [Histogram; 2],
    /// Answers 503.
    pub(crate) pushed_back: Count,
    /// Deliveries whose kept connection was closed under them.
    pub(crate) closed: Count,
    /// Deliveries whose new connection failed, or which got no answer in time.
    pub(crate) unanswered: Count,
    /// Deliveries that were refused, or given up.
    pub(crate) lost: Count,
    hostile: [AtomicU64; KINDS],
    /// Hostile requests that were answered 2xx.
    pub(crate) let_in: Count,
    complaints: Mutex<Vec<String>>,
}

/// A counter.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            taken: Default::default(),
            latencies: [Histogram::new(), Histogram::new()],
            pushed_back: Count::default(),
            closed: Count::default(),
            unanswered: Count::default(),
            lost: Count::default(),
            hostile: [const { AtomicU64::new(0) }; KINDS],
            let_in: Count::default(),
            complaints: Mutex::default(),
        }
    }

    /// How long deliveries took over connections that were made for them, or over others.
    pub(crate) fn latency(&self, comes_new: bool) -> &Histogram {
        &self.latencies[usize::from(comes_new)]
    }

    pub(crate) fn take(&self, sort: Sort) {
        self.taken[sort as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn taken(&self, sort: Sort) -> u64 {
        self.taken[sort as usize].load(Relaxed)
    }

    /// All good deliveries that were answered 200.
    pub(crate) fn taken_in_all(&self) -> u64 {
        self.taken.iter().map(|count| count.load(Relaxed)).sum()
    }

    pub(crate) fn attack(&self, kind: Kind) {
        self.hostile[kind as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn attacks(&self, kind: Kind) -> u64 {
        self.hostile[kind as usize].load(Relaxed)
    }

    /// Keeps what went wrong, if it is among the first to.
    pub(crate) fn complain(&self, complaint: String) {
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if complaints.len() < COMPLAINTS {
            complaints.push(complaint);
        }
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        let complaints = self.complaints.lock();
        complaints.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
