//! Keeps this replica alive in the eyes of the others, and its share of the partitions.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::future::join_all;
use tracing::debug;
use tracing::info;
use tracing::warn;

use super::form;
use super::form::BeatForm;
use super::form::SeatForm;
use super::seats::BEATS;
use super::seats::Move;
use super::server::ServerError;
use super::shared::Shared;

/// How many deliveries are remembered that are done.
const REMEMBERED: usize = 10_000;
/// How many more there may be before the oldest are forgotten.
const SURPLUS: usize = 500;

/// Works for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let interval = shared.patience / BEATS;
    let mut next = Instant::now();
    let mut has_left = false;
    let mut keeper = Keeper { shared, had: 0 };
    loop {
        let mut is_heard = true;
        if keeper.shared.state().seats.leaves() && !has_left {
            // The others are to know at once.
            has_left = true;
            next = Instant::now();
        }
        if next <= Instant::now() && keeper.shared.state().is_current() {
            next = Instant::now() + interval;
            is_heard = keeper.beat().await;
        }
        if is_heard {
            keeper.share().await;
            keeper.tidy().await;
        }
        let wait = next.saturating_duration_since(Instant::now());
        let wait = wait.max(Duration::from_millis(10));
        let _ = tokio::time::timeout(wait, keeper.shared.moved.notified()).await;
    }
}

struct Keeper {
    shared: Arc<Shared>,
    /// How many partitions we had when that was last told.
    had: usize,
}

impl Keeper {
    /// Says that we are alive. Says whether that was heard.
    async fn beat(&self) -> bool {
        let shared = &self.shared;
        // Nobody takes our partitions for as long as this from now on; a part of it is left for the way to the server.
        let safe = Instant::now() + shared.patience * 2 / 3;
        let leaves = shared.state().seats.leaves();
        let subject = shared.server.names.replica(&shared.me);
        let content = form::write(&BeatForm { leaves });
        let number = match shared.server.append(subject, content, None).await {
            Ok(number) => number,
            Err(error) => {
                debug!("no beat: {error}");
                return false;
            }
        };
        let wait = shared.patience / BEATS;
        let is_applied = shared.until(wait, |state| state.applied() >= number).await;
        if is_applied {
            let mut state = shared.state();
            state.set_safe(safe);
            // What was not given away after all, as is known by now.
            state.keep_what_stays();
            drop(state);
            shared.arrived.notify_one();
        }
        is_applied
    }

    /// Takes partitions, or gives some away.
    async fn share(&mut self) {
        let shared = Arc::clone(&self.shared);
        let moves = {
            let mut state = shared.state();
            if !state.is_current() {
                return;
            }
            state.moves()
        };
        if !moves.is_empty() {
            let done = join_all(moves.into_iter().map(|wanted| make(&shared, wanted))).await;
            let last = done.into_iter().flatten().max().unwrap_or_default();
            let wait = shared.patience / BEATS;
            shared.until(wait, |state| state.applied() >= last).await;
        }
        let has = shared.state().seats.ours();
        if has != self.had {
            info!(partitions = has, "this replica's share of the images");
            self.had = has;
        }
    }

    /// Takes out of the stream what nobody needs any more.
    async fn tidy(&self) {
        let shared = &self.shared;
        let (done, dead, is_more) = {
            let mut state = shared.state();
            if !state.is_current() {
                return;
            }
            let is_more = state.forget_noted(REMEMBERED + SURPLUS);
            // One is enough.
            let is_more = is_more && state.seats.is_ours(0);
            (state.leftover(), state.seats.forgotten(), is_more)
        };
        for number in done.iter().chain(&dead) {
            if let Err(error) = shared.server.delete(*number).await {
                debug!("a message is left in the stream: {error}");
                return;
            }
        }
        for number in dead {
            shared.state().seats.forget(number);
        }
        if is_more {
            let but = u64::try_from(REMEMBERED).unwrap_or(u64::MAX);
            if let Err(error) = shared.server.trim(&shared.server.names.notes(), but).await {
                warn!("old deliveries cannot be forgotten: {error}");
            }
            shared.state().forget_noted(REMEMBERED);
        }
    }
}

/// Takes a partition, or gives one away, if nobody was faster.
async fn make(shared: &Shared, wanted: Move) -> Option<u64> {
    let Move {
        partition,
        is_taken,
        after,
    } = wanted;
    let form = SeatForm {
        replica: is_taken.then(|| shared.me.clone()),
    };
    let subject = shared.server.names.partition(partition);
    let made = shared
        .server
        .append(subject, form::write(&form), Some(after))
        .await;
    match made {
        Ok(number) => Some(number),
        Err(error) => {
            if error != ServerError::Conflict {
                debug!(partition, "a partition stays as it is: {error}");
            }
            None
        }
    }
}
