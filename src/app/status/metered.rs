//! What is counted of what is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::Account;
use crate::domain::change::ApplicationChange;
use crate::domain::judgement::Judgement;
use crate::domain::judgement::Opinion;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::assessment::Assessment;
use crate::ports::meter::Meter;

/// Counts what is done.
pub struct Metered {
    /// Counts.
    pub meter: Arc<dyn Meter>,
    /// Whether changes are only shown, so that there are none to count.
    pub is_dry: bool,
}

impl Metered {
    pub(super) fn assessed(&self, updater: &ResourceId, assessment: Option<&Assessment>) {
        let Some(assessment) = assessment else {
            self.meter.forget(updater);
            return;
        };
        let tally = &assessment.tally;
        self.meter.applications_watched(updater, tally.applications);
        self.meter.images_watched(updater, tally.images);
    }

    pub(super) fn done(&self, account: &Account) {
        if self.is_dry {
            return;
        }
        for (updater, images) in by_updater(account.written.iter()) {
            self.meter.images_updated(updater, images);
        }
        for (updater, images) in by_updater(account.failed.iter().map(|(change, _)| change)) {
            self.meter.images_errors(updater, images);
        }
    }

    /// Counts what no registry answered, in a dry run too: that is no change.
    pub(super) fn judged(&self, judgement: &Judgement) {
        let mut errors: BTreeMap<&ResourceId, u64> = BTreeMap::new();
        for verdict in &judgement.verdicts {
            if matches!(verdict.opinion, Opinion::Failed(_)) {
                *errors.entry(&verdict.updater).or_default() += 1;
            }
        }
        for (updater, images) in errors {
            self.meter.images_errors(updater, images);
        }
    }
}

/// How many images were to be changed for each ImageUpdater.
fn by_updater<'a>(
    changes: impl Iterator<Item = &'a ApplicationChange>,
) -> BTreeMap<&'a ResourceId, u64> {
    let mut counts = BTreeMap::new();
    for image in changes.flat_map(|change| &change.images) {
        *counts.entry(&image.updater).or_default() += 1;
    }
    counts
}
