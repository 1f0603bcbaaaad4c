//! Who is told of settings that are refused while the process runs.

use async_trait::async_trait;
use tracing::warn;

use crate::adapters::kubernetes::settings_event::SettingsEvent;
use crate::app::settings::live::Refusals;
use crate::app::settings::load::CONFIG_MAP;
use crate::app::wiring::objects::Objects;

/// Those who look at the ConfigMap, by an Event; nobody but the log where no cluster is talked to.
pub(super) fn of(objects: Option<&Objects>) -> Box<dyn Refusals> {
    match objects {
        Some(objects) => Box::new(OnConfigMap(SettingsEvent::new(
            &objects.cluster,
            CONFIG_MAP,
        ))),
        None => Box::new(Nobody),
    }
}

struct OnConfigMap(SettingsEvent);

#[async_trait]
impl Refusals for OnConfigMap {
    async fn refused(&self, why: &str) {
        if let Err(error) = self.0.create("SettingsRefused", why).await {
            warn!(%error, "no Event tells of the refused settings");
        }
    }
}

struct Nobody;

#[async_trait]
impl Refusals for Nobody {
    async fn refused(&self, _: &str) {}
}
