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
use super::remembered::Kept;
use super::seats::BEATS;
use super::seats::Move;
use super::server::ServerError;
use super::shared::Shared;
use super::state::Sent;

/// How many deliveries are remembered that are done.
const REMEMBERED: usize = 10_000;
/// How many more there may be before the oldest are forgotten.
const SURPLUS: usize = 500;
/// How many deliveries that are done are looked after before it is time to be heard again.
const TIDIED: usize = 256;

/// Works for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let interval = shared.patience / BEATS;
    let mut next = Instant::now();
    let mut has_left = false;
    let mut keeper = Keeper {
        shared,
        had: 0,
        complained: None,
        is_deaf: false,
    };
    loop {
        if keeper.shared.state().seats.leaves() && !has_left {
            // The others are to know at once.
            has_left = true;
            next = Instant::now();
        }
        let mut wait = interval;
        if keeper.shared.state().is_current() {
            let is_heard = if next <= Instant::now() {
                next = Instant::now() + interval;
                let is_heard = keeper.beat().await;
                keeper.measure().await;
                is_heard
            } else {
                // Who reads late does not know who else is alive.
                keeper.shared.state().unheard().is_none()
            };
            if is_heard {
                keeper.share().await;
                keeper.tidy().await;
            }
            wait = next.saturating_duration_since(Instant::now());
            wait = wait.max(Duration::from_millis(10));
        }
        let _ = tokio::time::timeout(wait, keeper.shared.moved.notified()).await;
    }
}

struct Keeper {
    shared: Arc<Shared>,
    /// How many partitions we had when that was last told.
    had: usize,
    /// What was told last of why we are not heard.
    complained: Option<ServerError>,
    /// Whether it was told that we do not hear ourselves.
    is_deaf: bool,
}

impl Keeper {
    /// Says that we are alive. Says whether that was heard.
    async fn beat(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let leaves = shared.state().seats.leaves();
        if !leaves && !self.may_beat().await {
            return false;
        }
        let at = Instant::now();
        let subject = shared.server.names.replica(&shared.me);
        let content = form::write(&BeatForm { leaves });
        let number = match shared.append(subject, content, None).await {
            Ok(number) => number,
            Err(error) => {
                self.complain(&error);
                return false;
            }
        };
        shared.state().sent(Sent { number, at });
        shared.arrived.notify_one();
        let wait = shared.patience / BEATS;
        let is_heard = shared
            .until(wait, |state| state.seats.heard() == Some(number))
            .await;
        if is_heard {
            self.complained = None;
            self.is_deaf = false;
        }
        is_heard
    }

    /// Whether our last beat is heard, or will not be any more. The next one would take its place in the stream: who reads late would hear none. And
    /// who does not hear for too long is to count as dead, as it works on nothing.
    async fn may_beat(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(sent) = shared.state().unheard() else {
            return true;
        };
        let subject = shared.server.names.replica(&shared.me);
        match shared.server.last(&subject).await {
            Ok(Some(last)) if last.number == sent.number => {
                if sent.at.elapsed() > shared.patience && !self.is_deaf {
                    warn!(
                        "this replica reads nothing from the NATS server, though it is connected: it begins nothing new, and leaves its work to the others"
                    );
                    self.is_deaf = true;
                }
                false
            }
            Ok(_) => {
                shared.state().give_up_beat();
                true
            }
            Err(error) => {
                self.complain(&error);
                false
            }
        }
    }

    /// Tells why we are not heard, once as long as it is the same.
    fn complain(&mut self, error: &ServerError) {
        if self.complained.as_ref() != Some(error) {
            warn!("this replica cannot be heard by the others, and begins nothing new: {error}");
            self.complained = Some(error.clone());
        }
    }

    /// Finds out whether somebody has changed the stream: its limits, or so that it may lose something.
    async fn measure(&self) {
        match self.shared.server.look().await {
            Ok(info) => self.shared.heed(&info.config),
            // Whoever reads it begins anew, and refuses it.
            Err(ServerError::Lossy { .. }) => {
                self.shared.connections.send_modify(|count| *count += 1);
            }
            Err(
                ServerError::Conflict
                | ServerError::TooLarge
                | ServerError::Full { .. }
                | ServerError::Unavailable { .. },
            ) => {}
        }
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
            let is_more = state.has_surplus(REMEMBERED + SURPLUS);
            // One is enough, and the others know that they are forgotten.
            let is_ours = state.seats.is_ours(0);
            if is_more && !is_ours {
                let surplus = state.surplus(Kept::Newest(REMEMBERED + SURPLUS));
                state.remembered.forget(&surplus);
            }
            let done = state.leftover.due(shared.patience, TIDIED);
            (done, state.seats.forgotten(), is_more && is_ours)
        };
        if let Err(error) = self.take_out(&done, dead).await {
            debug!("a message is left in the stream: {error}");
        }
        if !is_more {
            return;
        }
        match shared.forget(Kept::Newest(REMEMBERED)).await {
            Ok(_) if shared.state().has_surplus(REMEMBERED + SURPLUS) => shared.moved.notify_one(),
            Ok(_) => {}
            Err(error) => warn!("old deliveries cannot be forgotten: {error}"),
        }
    }

    /// Takes deliveries that are done out of the stream, and beats of the dead. They need not be there.
    async fn take_out(&self, done: &[u64], dead: Vec<u64>) -> Result<(), ServerError> {
        let shared = &self.shared;
        let taken_out = shared.take_out(done).await;
        for number in dead {
            shared.server.delete(number).await?;
            shared.state().seats.forget(number);
        }
        if taken_out.is_ok() && done.len() == TIDIED {
            shared.moved.notify_one();
        }
        taken_out
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
    let content = form::write(&form);
    let mut made = shared
        .append(subject.clone(), content.clone(), Some(after))
        .await;
    // Nobody was faster where nobody says so any more: somebody else has taken that out of the stream, which we do not hear of.
    if made == Err(ServerError::Conflict)
        && after != 0
        && matches!(shared.server.last(&subject).await, Ok(None))
    {
        made = shared.append(subject, content, Some(0)).await;
    }
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
