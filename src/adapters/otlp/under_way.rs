//! What is known of the deliveries that are on their way.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::Span;

use crate::domain::delivery::DeliveryId;

/// A delivery, from its head until all that it leads to is done.
pub(super) struct UnderWay {
    /// When its head was there.
    pub(super) since: SystemTime,
    /// The sender's part of the trace.
    pub(super) parent: Context,
    /// The span of its receipt, from when it has proved who sent it until it is answered.
    pub(super) receipt: Option<Span>,
    /// What names that span.
    pub(super) context: Option<SpanContext>,
    /// How many of its events are not done.
    pub(super) events: usize,
    /// Whether it is answered.
    pub(super) is_answered: bool,
}

/// How many deliveries may be on their way. Where another replica works on what this one took, nobody says here when it is done, so that the oldest
/// make room.
const MOST: usize = 20_000;

/// All deliveries that are on their way. Their names begin with the time.
#[derive(Default)]
pub(super) struct AllUnderWay(Mutex<BTreeMap<DeliveryId, UnderWay>>);

impl AllUnderWay {
    /// A delivery has come.
    pub(super) fn begin(&self, delivery: DeliveryId, parent: Context) {
        let under_way = UnderWay {
            since: SystemTime::now(),
            parent,
            receipt: None,
            context: None,
            events: 0,
            is_answered: false,
        };
        let mut all = self.lock();
        if all.len() >= MOST {
            all.pop_first();
        }
        all.insert(delivery, under_way);
    }

    /// Does something with a delivery, and forgets it where nothing is left of it.
    pub(super) fn with<A>(
        &self,
        delivery: &DeliveryId,
        work: impl FnOnce(&mut UnderWay) -> A,
    ) -> Option<A> {
        let mut all = self.lock();
        let under_way = all.get_mut(delivery)?;
        let done = work(under_way);
        if under_way.is_answered && under_way.events == 0 {
            all.remove(delivery);
        }
        Some(done)
    }

    /// What names the span of its receipt.
    pub(super) fn context(&self, delivery: &DeliveryId) -> Option<SpanContext> {
        self.lock().get(delivery)?.context.clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeliveryId, UnderWay>> {
        // Nothing in here panics while it holds the lock half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let all = AllUnderWay::default();
        for number in 0..=MOST {
            all.begin(DeliveryId::new(format!("{number:06}")), Context::new());
        }
        assert_eq!(all.count(), MOST);
        assert!(all.with(&DeliveryId::new("000000"), |_| ()).is_none());
        assert!(all.with(&DeliveryId::new("000001"), |_| ()).is_some());
    }
}
