//! Looking at registries: at the start, at an interval, and for ImageUpdaters that are edited.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;
use tokio::time::timeout;
use tracing::error;
use tracing::info;

use crate::app::settings::Rhythm;
use crate::app::updater::Looked;
use crate::app::updater::Updater;
use crate::domain::reference::ImageName;
use crate::domain::resources::resource::ResourceId;

/// The longest wait before a look at the start, in which nobody hurries. Replicas that start together do not look together.
const START_JITTER: Duration = Duration::from_secs(5);
/// How long one look alone waits for what it needs, as whoever started it waits for its end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is seen whether what is known is still right.
const GLANCE: Duration = Duration::from_secs(1);

/// How long to wait before a look that failed is repeated, where no next one comes by itself; it doubles from one to the next.
const FIRST_REPETITION: Duration = Duration::from_secs(60);
/// The longest such wait.
const LONGEST_REPETITION: Duration = Duration::from_secs(60 * 60);

/// What came of looking at several images.
#[derive(Debug, Default)]
struct Round {
    looked: Looked,
    /// The images for which something failed.
    failed: BTreeSet<ImageName>,
}

/// Looks at registries.
pub struct Polling {
    updater: Arc<Updater>,
    rhythm: Rhythm,
    /// Whether this replica leads; `None`: no replica needs to.
    leading: Option<watch::Receiver<bool>>,
    /// Any number from 0 to 1, for waits that are not to be the same everywhere.
    random: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl Polling {
    /// Looks in a rhythm, while it leads.
    #[must_use]
    pub fn new(
        updater: Arc<Updater>,
        rhythm: Rhythm,
        leading: Option<watch::Receiver<bool>>,
        random: Box<dyn Fn() -> f64 + Send + Sync>,
    ) -> Self {
        Self {
            updater,
            rhythm,
            leading,
            random,
        }
    }

    /// Once what is tracked is known, looks until the process ends; with [`Rhythm::Once`] until everything was looked at, and gives what came of
    /// it, or `None` where that could not be done.
    pub async fn run(mut self, mut is_ready: watch::Receiver<bool>) -> Option<Looked> {
        if self.rhythm == Rhythm::Once {
            return self.look_once(&mut is_ready).await;
        }
        wait_for(&mut is_ready).await;
        match self.rhythm {
            Rhythm::Never | Rhythm::Once => std::future::pending().await,
            Rhythm::AtStart => {
                sleep(START_JITTER.mul_f64((self.random)())).await;
                let failed = self.look_at_all().await.failed;
                self.look_again(failed, false).await
            }
            Rhythm::OnEdit => loop {
                self.lead_once(None).await;
            },
            Rhythm::Every(interval) => loop {
                self.lead_once(Some(interval)).await;
            },
        }
    }

    /// Looks at everything and waits for nothing without an end.
    async fn look_once(&mut self, is_ready: &mut watch::Receiver<bool>) -> Option<Looked> {
        if timeout(PATIENCE, wait_for(is_ready)).await.is_err() {
            error!(
                "ImageUpdaters and Applications could not be read within {} seconds: the lines before say why",
                PATIENCE.as_secs()
            );
            return None;
        }
        if timeout(PATIENCE, self.wait_to_lead()).await.is_err() {
            error!(
                "another replica has led for {} seconds: stop it, or look beside it with --leader-election=false",
                PATIENCE.as_secs()
            );
            return None;
        }
        tokio::select! {
            round = self.look_at_all() => Some(round.looked),
            () = self.out_of_touch() => {
                error!(
                    "ImageUpdaters and Applications could not be followed for {} seconds, so not all was done: the lines before say why",
                    PATIENCE.as_secs()
                );
                None
            }
        }
    }

    /// Ends when what is known has not been right for a long time.
    async fn out_of_touch(&self) {
        let mut since = None;
        loop {
            sleep(GLANCE).await;
            if self.updater.is_current() {
                since = None;
            } else if since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                return;
            }
        }
    }

    /// Waits until this replica leads, and looks for as long as it does.
    async fn lead_once(&mut self, interval: Option<Duration>) {
        self.wait_to_lead().await;
        let mut leading = self.leading.clone();
        tokio::select! {
            () = self.look_on(interval) => {}
            () = until_not_leading(leading.as_mut()) => self.updater.give_up_looks(),
        }
    }

    async fn wait_to_lead(&mut self) {
        if let Some(leading) = &mut self.leading {
            wait_for(leading).await;
        }
    }

    /// Looks at everything, in its rhythm, and at ImageUpdaters that are edited meanwhile; for ever.
    async fn look_on(&self, interval: Option<Duration>) {
        // What is there at first is no edit, so that the first look at everything has to begin first.
        tokio::select! {
            biased;
            () = self.look_in_rhythm(interval) => {}
            () = self.look_at_edits(interval) => {}
        }
    }

    async fn look_in_rhythm(&self, interval: Option<Duration>) {
        loop {
            let begun = Instant::now();
            let failed = self.look_at_all().await.failed;
            match interval {
                Some(interval) => {
                    sleep_until(begun + interval.mul_f64(0.9 + 0.2 * (self.random)())).await;
                }
                None => self.look_again(failed, false).await,
            }
        }
    }

    async fn look_at_edits(&self, interval: Option<Duration>) {
        match interval {
            Some(_) => loop {
                let edited = self.updater.edited().await;
                self.look_for(edited).await;
            },
            None => self.look_again(BTreeSet::new(), true).await,
        }
    }

    /// Looks again at images for which a look has failed, with growing waits, and at those of edited ImageUpdaters where that is wanted. It never
    /// ends, and is for rhythms in which no next look comes by itself.
    async fn look_again<T>(&self, mut failed: BTreeSet<ImageName>, with_edits: bool) -> T {
        let mut wait = FIRST_REPETITION;
        loop {
            tokio::select! {
                edited = self.updater.edited(), if with_edits => {
                    failed.extend(self.look_for(edited).await.failed);
                    wait = FIRST_REPETITION;
                }
                () = sleep(wait.mul_f64(0.9 + 0.2 * (self.random)())), if !failed.is_empty() => {
                    failed = self.look_at(failed, &BTreeSet::new()).await.failed;
                    wait = (wait * 2).min(LONGEST_REPETITION);
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Looks at what some ImageUpdaters track.
    async fn look_for(&self, updaters: BTreeSet<ResourceId>) -> Round {
        let images = updaters
            .iter()
            .flat_map(|updater| self.updater.tracked_images(Some(updater)));
        self.look_at(images.collect(), &updaters).await
    }

    async fn look_at_all(&self) -> Round {
        self.updater.forget_edits();
        let updaters = self.updater.image_updaters();
        self.look_at(self.updater.tracked_images(None), &updaters)
            .await
    }

    async fn look_at(&self, images: BTreeSet<ImageName>, updaters: &BTreeSet<ResourceId>) -> Round {
        let begun = Instant::now();
        let count = images.len();
        let looks = images.into_iter().map(|image| async {
            let looked = self.updater.look(image.clone()).await;
            (image, looked)
        });
        let mut round = Round::default();
        for (image, looked) in join_all(looks).await {
            // One that is dropped was given up, as the process ends.
            let Ok(looked) = looked else { continue };
            round.looked.considered += looked.considered;
            round.looked.changed += looked.changed;
            round.looked.failed += looked.failed;
            if looked.failed > 0 {
                round.failed.insert(image);
            }
        }
        self.updater.checked(updaters);
        info!(
            image_updaters = updaters.len(),
            images = count,
            images_considered = round.looked.considered,
            images_updated = round.looked.changed,
            errors = round.looked.failed,
            seconds = begun.elapsed().as_secs_f64(),
            "registries were looked at"
        );
        round
    }
}

/// Waits until it is so; for ever where it will never be, as the process ends.
async fn wait_for(is_so: &mut watch::Receiver<bool>) {
    if is_so.wait_for(|is_so| *is_so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn until_not_leading(leading: Option<&mut watch::Receiver<bool>>) {
    match leading {
        // Fails where nobody will lead any more.
        Some(leading) => _ = leading.wait_for(|leads| !leads).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod once_tests;
#[cfg(test)]
mod tests;
