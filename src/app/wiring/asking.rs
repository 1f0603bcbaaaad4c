//! From settings to those who know what registries hold.

use std::path::PathBuf;
use std::sync::Arc;

use crate::adapters::cosign::CosignVerifier;
use crate::adapters::credentials::reader::SourceReader;
use crate::adapters::metrics::meters::Meters;
use crate::adapters::registry::CERTIFICATES;
use crate::adapters::registry::HttpRegistries;
use crate::adapters::registry::Setup;
use crate::adapters::registry::timings::Timings;
use crate::app::registries::live::Current;
use crate::app::settings::AskingSettings;
use crate::app::updater::Registry;
use crate::app::wiring::server::Background;
use crate::ports::secret_reader::SecretReader;
use crate::ports::work_watcher::WorkWatcher;

/// Those who are asked, and the work of taking up registries that are described anew.
pub(super) fn open(
    settings: &AskingSettings,
    mut described: Current,
    secrets: &Arc<dyn SecretReader>,
    meters: &Meters,
    watcher: Arc<dyn WorkWatcher>,
) -> (Arc<Registry>, Background) {
    let client = Arc::new(HttpRegistries::new(Setup {
        registries: described.borrow_and_update().as_ref().clone(),
        credentials: Arc::new(SourceReader::new(Arc::clone(secrets))),
        certificates: PathBuf::from(CERTIFICATES),
        meter: Some(Arc::new(meters.clone())),
        timings: Timings::default(),
    }));
    let verifier = CosignVerifier::new(Arc::clone(&client) as _, Arc::clone(secrets));
    let registry = Registry::new(
        Arc::clone(&client) as _,
        Arc::new(verifier),
        settings.at_once,
    )
    .watched_by(watcher);
    let follow = async move {
        while described.changed().await.is_ok() {
            client.replace(described.borrow_and_update().as_ref().clone());
        }
        // Nobody describes them any more: the process ends.
        std::future::pending::<()>().await;
    };
    (Arc::new(registry), Box::pin(follow))
}
