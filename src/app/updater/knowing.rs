//! What is known of ImageUpdaters and Applications, and what follows from it for images.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Updater;
use super::lock;
use super::report;
use super::task::Task;
use crate::app::settings::Confirm;
use crate::domain::event::ImageEvent;
use crate::domain::judgement::Grounds;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Occasion;
use crate::domain::judgement::judge_on;
use crate::domain::reference::ImageName;
use crate::domain::resources::Resources;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::index::Index;

/// What was seen at the last look.
#[derive(Default)]
pub(super) struct Known {
    /// Which Applications track which image.
    index: Index,
    /// Of what the index was made.
    resources: Arc<Resources>,
}

impl Updater {
    /// Brings the index up to date, if anything changed, and tells of new problems.
    pub(super) fn refresh(&self) {
        // Locked first: of two who refresh at once, neither brings back what the other one knows to be old.
        let mut known = lock(&self.known);
        let resources = self.ports.reader.current();
        let mut problems = Vec::new();
        if let Some(registries) = &self.terms.registries {
            let default = registries.borrow().default_registry();
            problems.extend(known.index.set_default(&default));
        }
        let is_new = !Arc::ptr_eq(&known.resources, &resources);
        if is_new {
            problems.extend(known.index.refresh(&resources));
            report::resources(&resources);
            known.resources = resources;
            self.edits.add(known.index.take_edited());
        }
        problems.iter().for_each(report::problem);
        let touched = known.index.take_touched();
        let Some(reporter) = &self.reporter else {
            return;
        };
        let has_news = is_new || !touched.is_empty();
        for updater in touched {
            reporter.assessed(&updater, known.index.assess(&updater));
        }
        if has_news {
            reporter.looked(&known.resources, &known.index);
        }
    }

    /// Judges what is to be done about an image, on what is known now.
    pub(super) fn judge(&self, task: &Task) -> Judgement {
        let events: Vec<ImageEvent> = task
            .batch
            .events
            .iter()
            .map(|queued| queued.event.clone())
            .collect();
        let is_look = task.is_look() || self.terms.confirm == Confirm::Rescan;
        let occasion = if is_look {
            Occasion::Look
        } else {
            Occasion::Pushed(&events)
        };
        let asks = task.is_look() || self.terms.confirm != Confirm::Event;
        let grounds = Grounds {
            knowledge: (asks && self.ports.registry.is_some()).then_some(&task.knowledge),
            never_downgrade: self.terms.never_downgrade,
            is_last_try: task.is_out_of_patience() || self.is_last_chance(),
            credential_kinds: &self.terms.credential_kinds,
        };
        judge_on(
            &lock(&self.known).index,
            &task.batch.image,
            occasion,
            grounds,
        )
    }

    /// The images that ImageUpdaters track and might change, all of them or those of one.
    #[must_use]
    pub fn tracked_images(&self, updater: Option<&ResourceId>) -> BTreeSet<ImageName> {
        self.refresh();
        lock(&self.known).index.images(updater)
    }

    /// All ImageUpdaters.
    #[must_use]
    pub fn image_updaters(&self) -> BTreeSet<ResourceId> {
        self.refresh();
        let known = lock(&self.known);
        let updaters = known.resources.updaters.iter();
        updaters.map(|updater| updater.id.clone()).collect()
    }

    /// Waits for ImageUpdaters that are new or were edited. It may be given up at any time.
    pub async fn edited(&self) -> BTreeSet<ResourceId> {
        self.edits.next().await
    }

    /// Forgets what was edited: everything is about to be looked at.
    pub fn forget_edits(&self) {
        self.refresh();
        self.edits.take();
    }

    /// Hears that registries were looked at for ImageUpdaters.
    pub fn checked(&self, updaters: &BTreeSet<ResourceId>) {
        if let Some(reporter) = &self.reporter {
            reporter.checked(updaters);
        }
    }
}
