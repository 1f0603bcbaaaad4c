//! What is known of the deliveries that are not answered yet.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry_sdk::trace::Span;

use crate::domain::delivery::DeliveryId;

/// A delivery, from its head to its answer.
pub(super) struct UnderWay {
    /// When its head was there.
    pub(super) since: SystemTime,
    /// The sender's part of the trace.
    pub(super) parent: Context,
    /// The span of its receipt, once it has proved who sent it.
    pub(super) receipt: Option<Span>,
}

/// All deliveries that are not answered yet, of which there are no more than connections carry.
#[derive(Default)]
pub(super) struct AllUnderWay(Mutex<HashMap<DeliveryId, UnderWay>>);

impl AllUnderWay {
    /// A delivery has come.
    pub(super) fn begin(&self, delivery: DeliveryId, parent: Context) {
        let under_way = UnderWay {
            since: SystemTime::now(),
            parent,
            receipt: None,
        };
        self.lock().insert(delivery, under_way);
    }

    /// Does something with a delivery.
    pub(super) fn with<A>(
        &self,
        delivery: &DeliveryId,
        work: impl FnOnce(&mut UnderWay) -> A,
    ) -> Option<A> {
        self.lock().get_mut(delivery).map(work)
    }

    /// Takes a delivery out, as it is answered.
    pub(super) fn end(&self, delivery: &DeliveryId) -> Option<UnderWay> {
        self.lock().remove(delivery)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeliveryId, UnderWay>> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}
