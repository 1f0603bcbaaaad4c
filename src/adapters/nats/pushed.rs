//! Where the events of deliveries go that are being pushed here.

use std::collections::HashMap;

use crate::domain::delivery::DeliveryId;
use crate::ports::event_queue::Placement;

/// The deliveries of which somebody here wants to know it, with what is known.
#[derive(Debug, Default)]
pub(super) struct Pushed(HashMap<DeliveryId, Option<Vec<Placement>>>);

impl Pushed {
    /// Wants to know where the events of a delivery go.
    pub(super) fn expect(&mut self, id: DeliveryId) {
        self.0.insert(id, None);
    }

    /// They went there.
    pub(super) fn went(&mut self, id: &DeliveryId, placements: Vec<Placement>) {
        if let Some(known) = self.0.get_mut(id) {
            *known = Some(placements);
        }
    }

    /// Where they went, once that is known; it is told once.
    pub(super) fn placements(&mut self, id: &DeliveryId) -> Option<Vec<Placement>> {
        self.0.remove(id).flatten()
    }
}
