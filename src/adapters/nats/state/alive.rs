//! Whether we are heard, so that what is ours by what we know is ours.

use std::time::Instant;

use super::Sent;
use super::State;
use crate::adapters::nats::names::ReplicaId;
use crate::adapters::nats::seats::ServerTime;

impl State {
    /// A replica was alive at a time. Says whether that changes anybody's share.
    pub(in crate::adapters::nats) fn beat(
        &mut self,
        replica: ReplicaId,
        at: ServerTime,
        number: u64,
        leaves: bool,
    ) -> bool {
        let changes = self.seats.beat(replica, at, number, leaves);
        self.hear();
        changes
    }

    /// A beat of ours is in the stream.
    pub(in crate::adapters::nats) fn sent(&mut self, beat: Sent) {
        self.unheard = Some(beat);
        // We may have read it before the server said so.
        self.hear();
    }

    /// Our last beat, as long as we have not read it ourselves.
    pub(in crate::adapters::nats) fn unheard(&self) -> Option<Sent> {
        self.unheard
    }

    /// Our last beat is not in the stream any more.
    pub(in crate::adapters::nats) fn give_up_beat(&mut self) {
        self.unheard = None;
    }

    /// However late we read it, nobody takes our partitions for so long after it was sent; a part of it is left for the way to the server. That
    /// so much is applied would not do: the number may be one of a stream that was made anew, of which we have read nothing yet.
    fn hear(&mut self) {
        if let Some(sent) = self.unheard
            && self.seats.heard() == Some(sent.number)
        {
            self.unheard = None;
            self.set_safe(sent.at + self.patience * 2 / 3);
        }
    }

    /// We were heard: nobody takes our partitions before that. Where we were silent for long, somebody may have taken one just now who did not
    /// know yet that we are alive: that is certain only when we have said again what is ours, and are heard once more.
    pub(super) fn set_safe(&mut self, until: Instant) {
        if !self.seats.is_doubtful() {
            self.safe_until = Some(until);
        }
    }

    /// Whether it is certain that what is ours by what we know is ours.
    pub(super) fn is_safe(&self) -> bool {
        self.safe_until.is_some_and(|until| Instant::now() < until)
    }
}
