//! Settings that follow their sources while the program runs.
//!
//! Everything is loaded anew again and again, by the same [`load`](super::load::load) as at the start, and compared with what is in force.
//! A change counts when two looks running have seen it: an editor that empties a file before it writes it would else set a default for a
//! moment. What has a problem is refused as a whole.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::error;
use tracing::info;
use tracing::warn;

use super::LogLevel;
use super::load::Loaded;
use super::snapshot::Change;
use super::snapshot::Snapshot;
use crate::app::seen_twice::SeenTwice;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::domain::status::announcement::Subject;
use crate::ports::announcer::Announcer;
use crate::ports::pace::Pace;

/// How often the sources are looked at. A change has to count within two seconds.
const INTERVAL: Duration = Duration::from_millis(500);

/// The reason of the Event.
const REFUSED: &str = "SettingsRefused";

/// Loads all settings anew. It may read files.
pub type Load = Arc<dyn Fn() -> Loaded + Send + Sync>;

/// What changed settings act upon.
pub struct Handles {
    /// The hourly rate.
    pub pace: Arc<dyn Pace>,
    /// Sets the level of the log.
    pub level: Box<dyn Fn(LogLevel) + Send + Sync>,
    /// Tells whoever looks at the ConfigMap of changes that are refused; `None`: the log alone does.
    pub announcer: Option<(Arc<dyn Announcer>, ResourceId)>,
    /// The source that the start had to do without; `None`: it did without none.
    pub awaited: Option<Awaited>,
}

/// A source that could not be read at the start.
pub struct Awaited {
    /// Says whether it has been read.
    pub is_read: Box<dyn Fn() -> bool + Send + Sync>,
    /// Is told when it has been read, and no new start is needed for it.
    pub checked: oneshot::Sender<()>,
}

/// Follows the sources of settings.
pub struct LiveSettings {
    load: Load,
    handles: Handles,
    /// What the program was started with.
    started: Snapshot,
    /// What is in force, as far as it needs no restart.
    accepted: Snapshot,
    /// What was looked into, be it accepted or refused.
    seen: SeenTwice<Snapshot>,
    /// Events on their way. A slow API server must not keep the next change from counting.
    telling: JoinSet<()>,
}

impl LiveSettings {
    /// Starts from what the program was started with.
    #[must_use]
    pub fn new(load: Load, started: Snapshot, handles: Handles) -> Self {
        Self {
            load,
            handles,
            accepted: started.clone(),
            seen: SeenTwice::new(started.clone()),
            started,
            telling: JoinSet::new(),
        }
    }

    /// Takes up changes. It ends only where a source that was awaited says what nothing but a new start can take up.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let load = Arc::clone(&self.load);
            // Before the load, which then has what was read.
            let awaited = self.handles.awaited.as_ref();
            let is_read = awaited.is_some_and(|awaited| (awaited.is_read)());
            match tokio::task::spawn_blocking(move || Snapshot::of(&load())).await {
                Ok(seen) => {
                    if self.step(seen, is_read).is_break() {
                        return;
                    }
                }
                Err(cause) => error!(%cause, "failed to look for changed settings; trying again"),
            }
        }
    }

    /// Looks at what is seen, and breaks off where an awaited source is read now and needs a new start.
    fn step(&mut self, seen: Snapshot, is_read: bool) -> ControlFlow<()> {
        self.look(seen);
        if is_read
            && self.seen.is_settled()
            && let Some(awaited) = self.handles.awaited.take()
        {
            self.check()?;
            // Nobody may be waiting for it.
            let _ = awaited.checked.send(());
        }
        ControlFlow::Continue(())
    }

    /// Takes up what is seen for the second time.
    fn look(&mut self, seen: Snapshot) {
        if let Some(before) = self.seen.look(seen) {
            self.take_up(&before);
        }
    }

    /// Breaks off where a start would not have gone as it went, had everything been known.
    fn check(&self) -> ControlFlow<()> {
        let known = self.seen.known();
        let changes = known.changes_since(&self.started, &self.started);
        let keys: Vec<_> = changes.iter().filter_map(waits_for_start).collect();
        if keys.is_empty() && known.problems.is_empty() {
            return ControlFlow::Continue(());
        }
        let settings = keys.join(", ");
        error!(
            settings,
            "the ConfigMap was read only after the start, and what it says counts only from a start on: ending, to be started again with it"
        );
        ControlFlow::Break(())
    }

    fn take_up(&mut self, before: &Snapshot) {
        let seen = self.seen.known().clone();
        let Some(live) = seen.live() else {
            return self.refuse(&seen, before);
        };
        if !before.problems.is_empty() {
            info!("the settings can be used again");
        }
        // Before it is told, so that a level that lets the line through does.
        (self.handles.level)(live.level);
        self.handles.pace.set_rate(live.rate);
        for change in seen.changes_since(&self.accepted, &self.started) {
            tell(&change);
        }
        self.accepted = seen;
    }

    /// Leaves everything as it is. The same problems are told once.
    fn refuse(&mut self, seen: &Snapshot, before: &Snapshot) {
        if seen.problems == before.problems {
            return;
        }
        let problems = seen.problems.join("; ");
        error!(
            problems,
            "the changed settings are refused as a whole, and those before stay in force"
        );
        let Some((announcer, config_map)) = &self.handles.announcer else {
            return;
        };
        let about = Subject::ConfigMap(config_map.clone());
        let announcement = Announcement::warning(about, REFUSED, problems);
        let announcer = Arc::clone(announcer);
        // Those that have arrived.
        while self.telling.try_join_next().is_some() {}
        self.telling.spawn(async move {
            if let Err(error) = announcer.announce(&announcement).await {
                warn!(%error, "no Event tells of the refused settings");
            }
        });
    }
}

/// The setting, where the change counts only from a start on.
fn waits_for_start(change: &Change) -> Option<&str> {
    match change {
        Change::NeedsRestart { key, .. } => Some(key),
        Change::Counts { .. } | Change::IsBack { .. } | Change::Hidden { .. } => None,
    }
}

fn tell(change: &Change) {
    match change {
        Change::Counts {
            key,
            old,
            new,
            place,
        } => info!(
            setting = key,
            old, new, place, "the setting changed and counts from now on"
        ),
        Change::NeedsRestart {
            key,
            old,
            new,
            place,
        } => warn!(
            setting = key,
            old, new, place, "the setting changed: restart the program for it to count"
        ),
        Change::IsBack { key, value } => info!(
            setting = key,
            value, "the setting is what it was at the start again: no restart is needed for it"
        ),
        Change::Hidden {
            key,
            new,
            place,
            by,
        } => warn!(
            setting = key,
            new, place, by, "the setting changed, but a stronger source hides it until a restart"
        ),
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
