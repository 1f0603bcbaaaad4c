//! Looking at registries: at the start, at an interval, and for ImageUpdaters that are edited.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;
use tracing::info;

use crate::app::settings::Rhythm;
use crate::app::updater::Looked;
use crate::app::updater::Updater;
use crate::domain::reference::ImageName;
use crate::domain::resources::resource::ResourceId;

/// The longest wait before a look at the start, in which nobody hurries. Replicas that start together do not look together.
const START_JITTER: Duration = Duration::from_secs(5);

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

    /// Looks until the process ends; with [`Rhythm::Once`] until everything was looked at, and gives what came of it.
    pub async fn run(mut self) -> Looked {
        match self.rhythm {
            Rhythm::Never => std::future::pending().await,
            Rhythm::Once => {
                self.wait_to_lead().await;
                self.look_at_all().await
            }
            Rhythm::AtStart => {
                sleep(START_JITTER.mul_f64((self.random)())).await;
                self.look_at_all().await;
                std::future::pending().await
            }
            Rhythm::OnEdit => loop {
                self.lead_once(None).await;
            },
            Rhythm::Every(interval) => loop {
                self.lead_once(Some(interval)).await;
            },
        }
    }

    /// Waits until this replica leads, and looks for as long as it does.
    async fn lead_once(&mut self, interval: Option<Duration>) {
        self.wait_to_lead().await;
        let mut leading = self.leading.clone();
        tokio::select! {
            () = self.look_on(interval) => {}
            () = until_not_leading(leading.as_mut()) => {}
        }
    }

    async fn wait_to_lead(&mut self) {
        if let Some(leading) = &mut self.leading
            && leading.wait_for(|leads| *leads).await.is_err()
        {
            // Nobody will lead any more: the process ends.
            std::future::pending::<()>().await;
        }
    }

    async fn look_on(&self, interval: Option<Duration>) {
        loop {
            let begun = Instant::now();
            self.look_at_all().await;
            match interval.map(|interval| begun + interval.mul_f64(0.9 + 0.2 * (self.random)())) {
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.look_at_edits() => {}
                },
                None => self.look_at_edits().await,
            }
        }
    }

    /// Looks whenever ImageUpdaters are edited, for ever.
    async fn look_at_edits(&self) {
        loop {
            let edited = self.updater.edited().await;
            let mut images = BTreeSet::new();
            for updater in &edited {
                images.extend(self.updater.tracked_images(Some(updater)));
            }
            self.look_at(images, &edited).await;
        }
    }

    async fn look_at_all(&self) -> Looked {
        self.updater.forget_edits();
        let updaters = self.updater.image_updaters();
        self.look_at(self.updater.tracked_images(None), &updaters)
            .await
    }

    async fn look_at(
        &self,
        images: BTreeSet<ImageName>,
        updaters: &BTreeSet<ResourceId>,
    ) -> Looked {
        let begun = Instant::now();
        let count = images.len();
        let looks = images.into_iter().map(|image| self.updater.look(image));
        let mut all = Looked::default();
        // One that is dropped was given up, as the process ends.
        for looked in join_all(looks).await.into_iter().flatten() {
            all.considered += looked.considered;
            all.changed += looked.changed;
            all.failed += looked.failed;
        }
        self.updater.checked(updaters);
        info!(
            image_updaters = updaters.len(),
            images = count,
            images_considered = all.considered,
            images_updated = all.changed,
            errors = all.failed,
            seconds = begun.elapsed().as_secs_f64(),
            "registries were looked at"
        );
        all
    }
}

async fn until_not_leading(leading: Option<&mut watch::Receiver<bool>>) {
    match leading {
        // Fails where nobody will lead any more.
        Some(leading) => _ = leading.wait_for(|leads| !leads).await,
        None => std::future::pending().await,
    }
}
