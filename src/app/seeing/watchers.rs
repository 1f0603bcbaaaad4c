//! Several who watch, as one.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::TraceParent;
use crate::domain::queue::fate::ImageOutcome;
use crate::ports::delivery_watcher::Answered;
use crate::ports::delivery_watcher::DeliveryWatcher;
use crate::ports::work_watcher::Occasion;
use crate::ports::work_watcher::Stepped;
use crate::ports::work_watcher::WorkWatcher;

/// All of them, one after the other.
pub struct Watchers<W: ?Sized>(pub Vec<Arc<W>>);

impl DeliveryWatcher for Watchers<dyn DeliveryWatcher> {
    fn arrived(&self, head: &Delivery) {
        self.0.iter().for_each(|watcher| watcher.arrived(head));
    }

    fn answered(&self, answered: Answered<'_>) {
        self.0.iter().for_each(|watcher| watcher.answered(answered));
    }
}

impl WorkWatcher for Watchers<dyn WorkWatcher> {
    fn accepted(&self, delivery: &DeliveryId) -> Option<TraceParent> {
        let told = self.0.iter().map(|watcher| watcher.accepted(delivery));
        told.fold(None, Option::or)
    }

    fn stepped(&self, stepped: Stepped<'_>) {
        self.0.iter().for_each(|watcher| watcher.stepped(stepped));
    }

    fn concluded(&self, occasion: Occasion, outcome: Option<ImageOutcome>) {
        self.0
            .iter()
            .for_each(|watcher| watcher.concluded(occasion, outcome));
    }

    fn changed(&self, after: Duration) {
        self.0.iter().for_each(|watcher| watcher.changed(after));
    }
}
