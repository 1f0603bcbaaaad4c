//! From what a process was configured by to what follows it while the process runs.

use std::sync::Arc;

use crate::app::settings::LogLevel;
use crate::app::settings::live::Handles;
use crate::app::settings::live::LiveSettings;
use crate::app::settings::live::Load;
use crate::app::settings::load::CONFIG_MAP;
use crate::app::settings::snapshot::Snapshot;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::server::Background;
use crate::domain::resources::resource::ResourceId;
use crate::ports::announcer::Announcer;
use crate::ports::pace::Pace;

/// What is followed. By default nothing is, and the settings stay as they are.
#[derive(Default)]
pub(super) struct Following {
    /// The objects of the cluster, where one is talked to.
    pub(super) objects: Option<Objects>,
    /// The settings.
    pub(super) settings: Option<FollowedSettings>,
}

/// Settings that are loaded anew while the process runs.
pub(super) struct FollowedSettings {
    /// Loads them.
    pub(super) load: Load,
    /// What the process was started with.
    pub(super) started: Snapshot,
    /// Sets the level of the log.
    pub(super) level: Box<dyn Fn(LogLevel) + Send + Sync>,
}

impl FollowedSettings {
    /// Takes up their changes. It ends only where the process has to be started anew with what was read too late.
    pub(super) fn follow(
        self,
        pace: Arc<dyn Pace>,
        objects: Option<&Objects>,
        announcer: Option<Arc<dyn Announcer>>,
    ) -> Background {
        let config_map = objects.map(|objects| ResourceId {
            namespace: objects.cluster.namespace().to_owned(),
            name: CONFIG_MAP.to_owned(),
        });
        let late = objects.filter(|objects| objects.is_late);
        let awaited = late.map(|objects| {
            let config_map = Arc::clone(&objects.config_map);
            Box::new(move || config_map.is_known()) as Box<dyn Fn() -> bool + Send + Sync>
        });
        let handles = Handles {
            pace,
            level: self.level,
            announcer: announcer.zip(config_map),
            awaited,
        };
        Box::pin(LiveSettings::new(self.load, self.started, handles).run())
    }
}
