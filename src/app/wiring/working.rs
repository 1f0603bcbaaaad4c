//! From settings to the work: on events, and by looking at registries.

use std::sync::Arc;

use crate::adapters::memory::event_queue::InMemoryQueue;
use crate::adapters::metrics::meters::Meters;
use crate::adapters::nats::SharedQueue;
use crate::adapters::pace::Governed;
use crate::app::leadership::Leadership;
use crate::app::polling::Polling;
use crate::app::registries::live::Current;
use crate::app::settings::Confirm;
use crate::app::settings::Rhythm;
use crate::app::settings::Settings;
use crate::app::updater::Ports;
use crate::app::updater::Terms;
use crate::app::updater::Updater;
use crate::app::wiring::asking;
use crate::app::wiring::resources::Place;
use crate::app::wiring::server::Background;
use crate::domain::rate_policy::RatePolicy;
use crate::ports::event_queue::EventQueue;

/// Any number from 0 to 1.
fn random() -> f64 {
    // Without randomness all wait as long as they would on average.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// All that works on Applications.
pub(super) struct Work {
    pub(super) queue: Arc<dyn EventQueue>,
    pub(super) pace: Arc<Governed>,
    /// What spaces changes of Applications out.
    pub(super) spread: Option<Arc<Governed>>,
    pub(super) updater: Arc<Updater>,
    pub(super) polling: Polling,
    /// Takes up registries that are described anew.
    pub(super) describing: Option<Background>,
}

/// Makes what works on the Applications of a place. What tells of it goes over into it.
pub(super) fn open(
    settings: &Settings,
    place: &mut Place,
    described: Current,
    meters: &Meters,
    shared: Option<Arc<SharedQueue>>,
) -> Work {
    let queue: Arc<dyn EventQueue> = match shared {
        Some(shared) => shared,
        None => Arc::new(InMemoryQueue::new(settings.queue_size.get())),
    };
    let pace = Arc::new(Governed::new(settings.rate));
    let spread = spread(settings.spread);
    let rhythm = settings.polling.rhythm;
    let asks = settings.confirm != Confirm::Event || rhythm != Rhythm::Never;
    let (registry, describing) = asks
        .then(|| asking::open(&settings.asking, described.clone(), &place.secrets, meters))
        .unzip();
    let ports = Ports {
        queue: Arc::clone(&queue),
        reader: Arc::clone(&place.reader),
        trigger: place.trigger.take(),
        pace: Arc::clone(&pace) as _,
        spread: spread.clone().map(|spread| spread as _),
        registry,
    };
    let updater = Updater::new(ports, terms(settings, described));
    let updater = Arc::new(match place.reporter.take() {
        Some(reporter) => updater.reporting_to(reporter),
        None => updater,
    });
    let leading = place.leadership.as_ref().map(Leadership::leading);
    Work {
        polling: Polling::new(Arc::clone(&updater), rhythm, leading, Box::new(random)),
        queue,
        pace,
        spread,
        updater,
        describing,
    }
}

/// What decisions rest on.
fn terms(settings: &Settings, registries: Current) -> Terms {
    Terms {
        confirm: settings.confirm,
        never_downgrade: settings.asking.never_downgrade,
        credential_kinds: settings.image_credentials.clone(),
        registries: Some(registries),
    }
}

/// What spaces changes of Applications out, where that is wanted.
fn spread(policy: RatePolicy) -> Option<Arc<Governed>> {
    match policy {
        RatePolicy::Unlimited => None,
        RatePolicy::PerHour(_) => Some(Arc::new(Governed::new(policy))),
    }
}
