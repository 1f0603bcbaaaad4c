//! Registries that follow their description while the program runs.
//!
//! As with [settings](crate::app::settings::live), a change counts when two looks running have seen it, and one with a mistake is refused as a
//! whole.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::error;
use tracing::info;
use tracing::warn;

use crate::app::seen_twice::SeenTwice;
use crate::domain::registry::endpoint::Registries;
use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::domain::status::announcement::Subject;
use crate::ports::announcer::Announcer;
use crate::ports::registries_source::Description;
use crate::ports::registries_source::Reading;
use crate::ports::registries_source::RegistriesSource;

/// How often the description is looked at. A change has to count within two seconds.
const INTERVAL: Duration = Duration::from_millis(500);

/// The reason of the Event.
const REFUSED: &str = "RegistriesRefused";

/// Registries as they are now.
pub type Current = watch::Receiver<Arc<Registries>>;

/// Who tells whoever looks at the ConfigMap of changes that are refused; `None`: the log alone does.
pub type Teller = Option<(Arc<dyn Announcer>, ResourceId)>;

/// Follows the description of registries.
pub struct LiveRegistries {
    source: Arc<dyn RegistriesSource>,
    teller: Teller,
    current: watch::Sender<Arc<Registries>>,
    /// What was looked into, be it accepted or refused.
    seen: SeenTwice<Reading>,
    /// Events on their way.
    telling: JoinSet<()>,
}

impl LiveRegistries {
    /// Takes what is described now. Whoever checked the settings has told of it.
    ///
    /// # Errors
    /// What is wrong with it, to be told as [`problems`] does.
    pub fn start(source: Arc<dyn RegistriesSource>, teller: Teller) -> Result<Self, Reading> {
        let reading = source.read();
        let Ok(description) = &reading.outcome else {
            return Err(reading);
        };
        if let Some(place) = &reading.place {
            let count = description.registries.all().len();
            info!(place, registries = count, "registries are described");
        }
        let current = watch::Sender::new(Arc::new(description.registries.clone()));
        Ok(Self {
            source,
            teller,
            current,
            seen: SeenTwice::new(reading),
            telling: JoinSet::new(),
        })
    }

    /// The registries that are in force, now and later.
    #[must_use]
    pub fn current(&self) -> Current {
        self.current.subscribe()
    }

    /// Takes up changes, for ever.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let source = Arc::clone(&self.source);
            match tokio::task::spawn_blocking(move || source.read()).await {
                Ok(seen) => self.look(seen),
                Err(cause) => error!(%cause, "failed to look for changed registries; trying again"),
            }
        }
    }

    /// Takes up what is seen for the second time.
    fn look(&mut self, seen: Reading) {
        if let Some(before) = self.seen.look(seen) {
            self.take_up(&before);
        }
    }

    fn take_up(&mut self, before: &Reading) {
        let seen = self.seen.known().clone();
        let place = place(&seen);
        let description = match &seen.outcome {
            Ok(description) => description,
            Err(mistakes) => return self.refuse(place, mistakes),
        };
        let is_other = self.current.send_if_modified(|current| {
            let is_other = **current != description.registries;
            if is_other {
                *current = Arc::new(description.registries.clone());
            }
            is_other
        });
        if is_other {
            let count = description.registries.all().len();
            info!(
                place,
                registries = count,
                "the registries changed and count from now on"
            );
            warn_of(place, description);
        } else if before.outcome.is_err() {
            info!(
                place,
                "the description of registries can be used again and is what is in force"
            );
        }
    }

    /// Leaves everything as it is.
    fn refuse(&mut self, place: &str, mistakes: &[String]) {
        let mistakes = mistakes.join("; ");
        error!(
            place,
            mistakes,
            "the changed description of registries is refused as a whole, and the one before stays in force"
        );
        let Some((announcer, config_map)) = &self.teller else {
            return;
        };
        let about = Subject::ConfigMap(config_map.clone());
        let announcement = Announcement::warning(about, REFUSED, format!("{place}: {mistakes}"));
        let announcer = Arc::clone(announcer);
        // Those that have arrived.
        while self.telling.try_join_next().is_some() {}
        self.telling.spawn(async move {
            if let Err(error) = announcer.announce(&announcement).await {
                warn!(%error, "no Event tells of the refused registries");
            }
        });
    }
}

/// What keeps a description from being used, each mistake with its place; nothing where it can be.
#[must_use]
pub fn problems(reading: &Reading) -> Vec<String> {
    let mistakes = reading.outcome.as_ref().err();
    let mistakes = mistakes.map_or(&[][..], Vec::as_slice);
    let place = place(reading);
    mistakes
        .iter()
        .map(|mistake| format!("{place}: {mistake}"))
        .collect()
}

fn warn_of(place: &str, description: &Description) {
    for warning in &description.warnings {
        warn!(place, "{warning}");
    }
}

fn place(reading: &Reading) -> &str {
    reading.place.as_deref().unwrap_or("nowhere")
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
