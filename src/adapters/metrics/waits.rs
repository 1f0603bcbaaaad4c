//! What is counted of work that waits for its turn.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use prometheus_client::registry::Unit;

use crate::ports::pace_meter::Limit;
use crate::ports::pace_meter::PaceMeter;

/// A counter of seconds.
pub(super) type Seconds = Counter<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLimit {
    limit: &'static str,
}

/// Counts turns, and the time that was spent on waiting for them. A clone counts for the same.
#[derive(Debug, Clone)]
pub struct WaitMeters {
    turns: Family<ByLimit, Counter>,
    waiting: Family<ByLimit, Gauge>,
    waited: Family<ByLimit, Seconds>,
}

impl Default for WaitMeters {
    fn default() -> Self {
        let meters = Self {
            turns: Family::default(),
            waiting: Family::default(),
            waited: Family::default(),
        };
        // What is there from the start at 0 lets the first step be seen.
        for limit in Limit::ALL {
            let labels = labels(limit);
            drop(meters.turns.get_or_create(&labels));
            drop(meters.waiting.get_or_create(&labels));
            drop(meters.waited.get_or_create(&labels));
        }
        meters
    }
}

impl WaitMeters {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "rate_limit_turns",
            "The number of turns that were given at a rate",
            self.turns.clone(),
        );
        registry.register(
            "rate_limit_waiting",
            "1 while the next turn is waited for; else 0",
            self.waiting.clone(),
        );
        registry.register_with_unit(
            "rate_limit_wait",
            "The time in which a turn was waited for",
            Unit::Seconds,
            self.waited.clone(),
        );
    }
}

impl PaceMeter for WaitMeters {
    fn waits(&self, limit: Limit) {
        self.waiting.get_or_create(&labels(limit)).inc();
    }

    fn waited(&self, limit: Limit, time: Duration) {
        let waited = self.waited.get_or_create(&labels(limit));
        waited.inc_by(time.as_secs_f64());
    }

    fn ended(&self, limit: Limit, had_turn: bool) {
        let labels = labels(limit);
        self.waiting.get_or_create(&labels).dec();
        self.turns.get_or_create(&labels).inc_by(had_turn.into());
    }
}

fn labels(limit: Limit) -> ByLimit {
    let limit = limit.name();
    ByLimit { limit }
}
