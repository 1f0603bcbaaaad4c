//! What is counted of deliveries.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use prometheus_client::registry::Unit;

use crate::domain::delivery::Delivery;
use crate::ports::delivery_watcher::Answered;
use crate::ports::delivery_watcher::DeliveryOutcome;
use crate::ports::delivery_watcher::DeliveryWatcher;

/// The type of what claims to be of none that there is. Anybody can claim anything, and must not make series by that.
const UNKNOWN: &str = "unknown";

/// Seconds that an answer may take: from well within a millisecond to the time-out of a body.
const ANSWER: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    r#type: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    r#type: &'static str,
    reason: &'static str,
}

/// Counts deliveries by their type and outcome. A clone counts for the same.
#[derive(Debug, Clone)]
pub struct DeliveryMeters {
    types: Arc<[&'static str]>,
    deliveries: Family<ByOutcome, Counter>,
    rejected: Family<ByReason, Counter>,
    answer: Histogram,
}

impl DeliveryMeters {
    /// Counts those of these types apart, and all others together.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = &'static str>) -> Self {
        let meters = Self {
            types: types.into_iter().chain([UNKNOWN]).collect(),
            deliveries: Family::default(),
            rejected: Family::default(),
            answer: Histogram::new(ANSWER),
        };
        // A counter that is there from the start at 0 lets the first step be seen.
        for r#type in meters.types.iter().copied() {
            for outcome in DeliveryOutcome::ALL {
                meters.count(r#type, outcome, 0);
            }
        }
        meters
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "deliveries",
            "The number of deliveries, by the type that they claim and by outcome",
            self.deliveries.clone(),
        );
        registry.register(
            "deliveries_rejected",
            "The number of deliveries that were not taken, by the type that they claim and by reason",
            self.rejected.clone(),
        );
        registry.register_with_unit(
            "delivery_answer",
            "The time from the head of a delivery until its answer: its body was read, its sender authenticated, its events decoded and queued",
            Unit::Seconds,
            self.answer.clone(),
        );
    }

    fn known(&self, claimed: Option<&str>) -> &'static str {
        let mut types = self.types.iter().copied();
        types
            .find(|known| Some(*known) == claimed)
            .unwrap_or(UNKNOWN)
    }

    fn count(&self, r#type: &'static str, outcome: DeliveryOutcome, deliveries: u64) {
        let name = outcome.name();
        let labels = ByOutcome {
            r#type,
            outcome: name,
        };
        self.deliveries.get_or_create(&labels).inc_by(deliveries);
        if let DeliveryOutcome::Rejected(refusal) = outcome {
            let reason = refusal.name();
            let labels = ByReason { r#type, reason };
            self.rejected.get_or_create(&labels).inc_by(deliveries);
        }
    }
}

impl DeliveryWatcher for DeliveryMeters {
    fn arrived(&self, _: &Delivery) {}

    fn answered(&self, answered: Answered<'_>) {
        self.count(self.known(answered.claimed), answered.outcome, 1);
        self.answer.observe(answered.took.as_secs_f64());
    }
}
