//! What is counted as it happens.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use prometheus_client::registry::Unit;

use super::deliveries::DeliveryMeters;
use super::waits::Seconds;
use super::waits::WaitMeters;
use super::work::WorkMeters;
use crate::domain::resources::resource::ResourceId;
use crate::ports::meter::Meter;
use crate::ports::refusal_meter::RefusalMeter;
use crate::ports::registry_meter::RegistryMeter;

/// Labels of what is counted for an ImageUpdater, by their names in Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Updater {
    image_updater_cr_name: String,
    image_updater_cr_namespace: String,
}

impl Updater {
    fn of(id: &ResourceId) -> Self {
        Self {
            image_updater_cr_name: id.name.clone(),
            image_updater_cr_namespace: id.namespace.clone(),
        }
    }
}

/// Labels of what is counted for a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AtRegistry {
    registry: String,
}

/// The counters and gauges. A clone counts for the same.
#[derive(Debug, Clone)]
pub struct Meters {
    /// What is counted of deliveries.
    pub deliveries: DeliveryMeters,
    /// What is counted of the work.
    pub work: WorkMeters,
    /// What is counted of work that waits for its turn.
    pub waits: WaitMeters,
    applications_watched: Family<Updater, Gauge>,
    images_watched: Family<Updater, Gauge>,
    images_updated: Family<Updater, Counter>,
    images_errors: Family<Updater, Counter>,
    registry_requests: Family<AtRegistry, Counter>,
    registry_failures: Family<AtRegistry, Counter>,
    registry_waits: Family<AtRegistry, Seconds>,
    webhook_limited: Counter,
    webhook_silent: Counter,
}

impl Meters {
    /// Nothing is counted yet. Deliveries of these types are counted apart, and all others together.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            deliveries: DeliveryMeters::new(types),
            work: WorkMeters::default(),
            waits: WaitMeters::default(),
            applications_watched: Family::default(),
            images_watched: Family::default(),
            images_updated: Family::default(),
            images_errors: Family::default(),
            registry_requests: Family::default(),
            registry_failures: Family::default(),
            registry_waits: Family::default(),
            webhook_limited: Counter::default(),
            webhook_silent: Counter::default(),
        }
    }

    /// Adds them to those that are read. The library itself ends the names of counters in `_total`.
    pub(super) fn register(&self, registry: &mut Registry) {
        self.deliveries.register(registry);
        self.work.register(registry);
        self.waits.register(registry);
        self.register_registries(registry);
        registry.register(
            "applications_watched_total",
            "The number of Applications that an ImageUpdater takes",
            self.applications_watched.clone(),
        );
        registry.register(
            "images_watched_total",
            "The number of images that are tracked for an ImageUpdater, summed over its Applications",
            self.images_watched.clone(),
        );
        registry.register(
            "images_updated",
            "The number of images that were changed for an ImageUpdater",
            self.images_updated.clone(),
        );
        registry.register(
            "images_errors",
            "The number of images that could not be changed for an ImageUpdater, or about which a registry gave no answer",
            self.images_errors.clone(),
        );
    }

    fn register_registries(&self, registry: &mut Registry) {
        registry.register(
            "registry_requests",
            "The number of requests to a registry",
            self.registry_requests.clone(),
        );
        registry.register(
            "registry_requests_failed",
            "The number of requests to a registry that failed",
            self.registry_failures.clone(),
        );
        registry.register_with_unit(
            "registry_wait",
            "The time that requests to a registry waited for its rate, or because it wanted to be left alone",
            Unit::Seconds,
            self.registry_waits.clone(),
        );
        registry.register(
            "webhook_limited_requests",
            "The number of requests that failed and were answered 429, because their source had sent too many of those",
            self.webhook_limited.clone(),
        );
        registry.register(
            "webhook_silent_connections",
            "The number of connections that ended without a request",
            self.webhook_silent.clone(),
        );
    }
}

impl Meter for Meters {
    fn applications_watched(&self, updater: &ResourceId, applications: u32) {
        let labels = Updater::of(updater);
        // A counter that is there from the start at 0 lets the first step be seen.
        drop(self.images_updated.get_or_create(&labels));
        drop(self.images_errors.get_or_create(&labels));
        let gauge = self.applications_watched.get_or_create(&labels);
        gauge.set(applications.into());
    }

    fn images_watched(&self, updater: &ResourceId, images: u32) {
        let gauge = self.images_watched.get_or_create(&Updater::of(updater));
        gauge.set(images.into());
    }

    fn images_updated(&self, updater: &ResourceId, images: u64) {
        // Work may end after its ImageUpdater has gone, and must not bring its series back.
        if let Some(counter) = self.images_updated.get(&Updater::of(updater)) {
            counter.inc_by(images);
        }
    }

    fn images_errors(&self, updater: &ResourceId, images: u64) {
        if let Some(counter) = self.images_errors.get(&Updater::of(updater)) {
            counter.inc_by(images);
        }
    }

    fn forget(&self, updater: &ResourceId) {
        let labels = Updater::of(updater);
        self.applications_watched.remove(&labels);
        self.images_watched.remove(&labels);
        self.images_updated.remove(&labels);
        self.images_errors.remove(&labels);
    }
}

impl RegistryMeter for Meters {
    fn asked(&self, registry: &str, failed: bool) {
        let labels = AtRegistry {
            registry: registry.to_owned(),
        };
        self.registry_requests.get_or_create(&labels).inc();
        self.registry_failures
            .get_or_create(&labels)
            .inc_by(failed.into());
        // It is there before anything waits.
        drop(self.registry_waits.get_or_create(&labels));
    }

    fn waited(&self, registry: &str, time: Duration) {
        let labels = AtRegistry {
            registry: registry.to_owned(),
        };
        self.registry_waits
            .get_or_create(&labels)
            .inc_by(time.as_secs_f64());
    }
}

impl RefusalMeter for Meters {
    fn limited(&self) {
        self.webhook_limited.inc();
    }

    fn silent(&self) {
        self.webhook_silent.inc();
    }
}
