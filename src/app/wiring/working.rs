//! From settings to the work: on events, and by looking at registries.

use std::sync::Arc;

use tokio::sync::watch;

use crate::adapters::pace::Governed;
use crate::app::polling::Polling;
use crate::app::registries::live::Current;
use crate::app::settings::Rhythm;
use crate::app::settings::Settings;
use crate::app::status::Reporter;
use crate::app::updater::Looked;
use crate::app::updater::Ports;
use crate::app::updater::Terms;
use crate::app::updater::Updater;
use crate::domain::rate_policy::RatePolicy;
use crate::ports::pace::Pace;

/// Looks at registries, once what is tracked is known.
pub(super) async fn poll(polling: Polling, mut is_ready: watch::Receiver<bool>) -> Looked {
    if is_ready.wait_for(|ready| *ready).await.is_err() {
        // The process ends.
        std::future::pending::<()>().await;
    }
    polling.run().await
}

/// Any number from 0 to 1.
fn random() -> f64 {
    // Without randomness all wait as long as they would on average.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// What decisions rest on.
pub(super) fn terms(settings: &Settings, registries: Current) -> Terms {
    Terms {
        confirm: settings.confirm,
        never_downgrade: settings.asking.never_downgrade,
        credential_kinds: settings.image_credentials.clone(),
        registries: Some(registries),
    }
}

pub(super) fn updater(ports: Ports, terms: Terms, reporter: Option<Reporter>) -> Updater {
    let updater = Updater::new(ports, terms);
    match reporter {
        Some(reporter) => updater.reporting_to(reporter),
        None => updater,
    }
}

/// What looks at registries.
pub(super) fn polling(
    updater: &Arc<Updater>,
    rhythm: Rhythm,
    leading: Option<watch::Receiver<bool>>,
) -> Polling {
    Polling::new(Arc::clone(updater), rhythm, leading, Box::new(random))
}

/// What spaces changes of Applications out, where that is wanted.
pub(super) fn spread(policy: RatePolicy) -> Option<Arc<dyn Pace>> {
    match policy {
        RatePolicy::Unlimited => None,
        RatePolicy::PerHour(_) => Some(Arc::new(Governed::new(policy))),
    }
}
