//! From settings to the work: on events, and by looking at registries.

use std::sync::Arc;

use crate::adapters::pace::Governed;
use crate::app::leadership::Leadership;
use crate::app::polling::Polling;
use crate::app::registries::live::Current;
use crate::app::seeing::watched_pace::WatchedPace;
use crate::app::seeing::watched_queue::WatchedQueue;
use crate::app::settings::Confirm;
use crate::app::settings::Rhythm;
use crate::app::settings::Settings;
use crate::app::updater::Ports;
use crate::app::updater::Terms;
use crate::app::updater::Updater;
use crate::app::wiring::asking;
use crate::app::wiring::keeping::Keeping;
use crate::app::wiring::resources::Place;
use crate::app::wiring::server::Background;
use crate::app::wiring::watchers::Watching;
use crate::domain::rate_policy::RatePolicy;
use crate::ports::pace::Pace;
use crate::ports::pace_meter::Limit;

/// Any number from 0 to 1.
fn random() -> f64 {
    // Without randomness all wait as long as they would on average.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// All that works on Applications.
pub(super) struct Work {
    pub(super) pace: Arc<Governed>,
    /// What spaces changes of Applications out.
    pub(super) spread: Option<Arc<Governed>>,
    pub(super) updater: Arc<Updater>,
    pub(super) polling: Polling,
    /// How much is left to do.
    pub(super) queue: Arc<WatchedQueue>,
    /// Takes up registries that are described anew.
    pub(super) describing: Option<Background>,
}

/// Makes what works on the Applications of a place. What tells of it goes over into it.
pub(super) fn open(
    settings: &Settings,
    place: &mut Place,
    keeping: &Keeping,
    described: Current,
    watching: &Watching,
) -> Work {
    let (meters, watcher) = (&watching.meters, Arc::clone(&watching.work));
    let queue = Arc::new(WatchedQueue {
        queue: Arc::clone(&keeping.queue),
        watcher: Arc::clone(&watcher),
        capacity: settings.queue_size.get(),
    });
    let pace = Arc::new(Governed::new(settings.rate));
    let spread = spread(settings.spread);
    let counted = |pace: &Arc<Governed>, limit| -> Arc<dyn Pace> {
        Arc::new(WatchedPace {
            pace: Arc::clone(pace) as _,
            limit,
            meter: Arc::new(meters.waits.clone()),
        })
    };
    let rhythm = settings.polling.rhythm;
    let asks = settings.confirm != Confirm::Event || rhythm != Rhythm::Never;
    let (registry, describing) = asks
        .then(|| {
            let (described, watcher) = (described.clone(), Arc::clone(&watcher));
            asking::open(&settings.asking, described, &place.secrets, meters, watcher)
        })
        .unzip();
    let ports = Ports {
        queue: Arc::clone(&queue) as _,
        reader: Arc::clone(&place.reader),
        trigger: place.trigger.take(),
        pace: counted(&pace, Limit::EventsPerHour),
        spread: spread
            .as_ref()
            .map(|spread| counted(spread, Limit::UpdatesPerMinute)),
        registry,
    };
    let terms = Terms {
        confirm: settings.confirm,
        never_downgrade: settings.asking.never_downgrade,
        credential_kinds: settings.image_credentials.clone(),
        registries: Some(described),
        is_durable: keeping.is_durable,
    };
    let updater = Updater::new(ports, terms).watched_by(watcher);
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

/// What spaces changes of Applications out, where that is wanted.
fn spread(policy: RatePolicy) -> Option<Arc<Governed>> {
    match policy {
        RatePolicy::Unlimited => None,
        RatePolicy::PerHour(_) => Some(Arc::new(Governed::new(policy))),
    }
}
