//! What is counted of the way from a delivery to a change.

use std::iter;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use prometheus_client::registry::Unit;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::fate::ImageOutcome;
use crate::ports::work_watcher::Occasion;
use crate::ports::work_watcher::Step;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::UNMATCHED;
use crate::ports::work_watcher::WorkWatcher;

/// Seconds of what is only computed.
const COMPUTING: [f64; 10] = [
    0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0,
];
/// Seconds of what others do.
const ASKING: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// Seconds of what may wait: for a registry that shows a tag late, for a cluster that comes back, for a turn in an hour.
const WAITING: [f64; 15] = [
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    occasion: &'static str,
    outcome: &'static str,
}

/// Counts what becomes of images, and how long each step takes. A clone counts for the same.
#[derive(Debug, Clone)]
pub struct WorkMeters {
    outcomes: Family<ByOutcome, Counter>,
    queue: Histogram,
    judge: Histogram,
    ask: Histogram,
    write: Histogram,
    change: Histogram,
}

impl Default for WorkMeters {
    fn default() -> Self {
        let meters = Self {
            outcomes: Family::default(),
            queue: Histogram::new(WAITING),
            judge: Histogram::new(COMPUTING),
            ask: Histogram::new(ASKING),
            write: Histogram::new(ASKING),
            change: Histogram::new(WAITING),
        };
        // A counter that is there from the start at 0 lets the first step be seen.
        for occasion in Occasion::ALL {
            let unmatched = iter::once(None);
            for outcome in unmatched.chain(ImageOutcome::ALL.map(Some)) {
                drop(meters.counter(occasion, outcome));
            }
        }
        meters
    }
}

impl WorkMeters {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "image_outcomes",
            "The number of outcomes of images, each in one Application, or everywhere at once",
            self.outcomes.clone(),
        );
        let mut times = |name, help, times: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, times.clone());
        };
        times(
            "queue_wait",
            "The time that events waited in the queue",
            &self.queue,
        );
        times(
            "judge",
            "The time that it took to decide what is to be done about an image",
            &self.judge,
        );
        times(
            "registry_answer",
            "The time until registries had answered all that was asked about an image at once",
            &self.ask,
        );
        times(
            "write",
            "The time that it took to write the changes of an image",
            &self.write,
        );
        times(
            "delivery_to_change",
            "The time from the acceptance of a delivery until an image was changed for it",
            &self.change,
        );
    }

    fn counter(&self, occasion: Occasion, outcome: Option<ImageOutcome>) -> Counter {
        let labels = ByOutcome {
            occasion: occasion.name(),
            outcome: outcome.map_or(UNMATCHED, ImageOutcome::name),
        };
        self.outcomes.get_or_create_owned(&labels)
    }
}

impl WorkWatcher for WorkMeters {
    fn accepted(&self, _: &DeliveryId) -> Option<TraceParent> {
        None
    }

    fn stepped(&self, stepped: Stepped<'_>) {
        let times = match stepped.step {
            Step::Queue => &self.queue,
            Step::Judge => &self.judge,
            Step::Ask => &self.ask,
            Step::Write => &self.write,
        };
        times.observe(stepped.took.as_secs_f64());
    }

    fn concluded(&self, occasion: Occasion, outcome: Option<ImageOutcome>) {
        self.counter(occasion, outcome).inc();
    }

    fn changed(&self, after: Duration) {
        self.change.observe(after.as_secs_f64());
    }
}
