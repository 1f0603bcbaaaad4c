//! From what a process was configured by to what follows it while the process runs.

use std::future::pending;
use std::future::ready;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::adapters::kubernetes::followed_object::FollowedObject;
use crate::app::settings::LogLevel;
use crate::app::settings::live::Awaited;
use crate::app::settings::live::Handles;
use crate::app::settings::live::LiveSettings;
use crate::app::settings::live::Load;
use crate::app::settings::snapshot::Snapshot;
use crate::app::wiring::objects::Objects;
use crate::app::wiring::server::Background;
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

/// The work of following settings.
pub(super) struct Follow {
    /// Takes up changes. It ends only where the process has to be started anew with what was read too late.
    pub(super) outdated: Background,
    /// Ends when it is known that no such start is needed.
    pub(super) checked: Background,
}

impl Follow {
    /// Takes up changes of settings, where they are followed.
    pub(super) fn of(
        settings: Option<FollowedSettings>,
        pace: Arc<dyn Pace>,
        objects: Option<&Objects>,
        announcer: Option<Arc<dyn Announcer>>,
    ) -> Self {
        match settings {
            Some(followed) => followed.follow(pace, objects, announcer),
            None => Self::nothing(),
        }
    }

    /// Settings that stay as they are.
    fn nothing() -> Self {
        Self {
            outdated: Box::pin(pending()),
            checked: Box::pin(ready(())),
        }
    }
}

impl FollowedSettings {
    /// Takes up their changes.
    fn follow(
        self,
        pace: Arc<dyn Pace>,
        objects: Option<&Objects>,
        announcer: Option<Arc<dyn Announcer>>,
    ) -> Follow {
        let config_map = objects.map(Objects::config_map_id);
        let late = objects.filter(|objects| objects.is_late);
        let (awaited, checked) = late.map(|objects| awaited(&objects.config_map)).unzip();
        let handles = Handles {
            pace,
            level: self.level,
            announcer: announcer.zip(config_map),
            awaited,
        };
        Follow {
            outdated: Box::pin(LiveSettings::new(self.load, self.started, handles).run()),
            checked: checked.unwrap_or_else(|| Box::pin(ready(()))),
        }
    }
}

/// The ConfigMap that the start did without, and what ends when it is known that no new start is needed for it, or that it may not be read.
fn awaited(config_map: &Arc<FollowedObject>) -> (Awaited, Background) {
    let (checked, told) = oneshot::channel();
    let asked = Arc::clone(config_map);
    let awaited = Awaited {
        is_read: Box::new(move || asked.is_known()),
        checked,
    };
    let config_map = Arc::clone(config_map);
    let checked = async move {
        config_map.settled().await;
        if config_map.is_known() && told.await.is_err() {
            // A new start is needed, and this process is ending.
            pending::<()>().await;
        }
    };
    (awaited, Box::pin(checked))
}
