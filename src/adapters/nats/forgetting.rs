//! Forgets what became of deliveries, where it is too much or there is no room.

use std::time::Duration;

use futures_util::future::join_all;
use tracing::warn;

use super::remembered::Kept;
use super::remembered::Surplus;
use super::server::AT_ONCE;
use super::server::ServerError;
use super::shared::Shared;

impl Shared {
    /// Forgets what became of the oldest deliveries. A note stays as long as its delivery is in the stream: who reads that without its note takes it for
    /// one of which nothing is done. Says how many notes there were.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(super) async fn forget(&self, but: Kept) -> Result<u64, ServerError> {
        let surplus = {
            let state = self.state();
            if !state.is_current() {
                // What is needed is not known.
                return Ok(0);
            }
            state.surplus(but)
        };
        self.forget_all(&surplus).await
    }

    async fn forget_all(&self, surplus: &Surplus) -> Result<u64, ServerError> {
        let forgotten = self.server.forget(surplus).await?;
        self.state().remembered.forget(surplus);
        Ok(forgotten)
    }

    /// Takes deliveries that are done out of the stream. One that cannot be taken out holds up no other.
    ///
    /// # Errors
    /// [`ServerError`], the first there was.
    pub(super) async fn take_out(&self, done: &[u64]) -> Result<(), ServerError> {
        let mut all = Ok(());
        for some in done.chunks(AT_ONCE) {
            let taken = join_all(some.iter().map(|number| self.take_one_out(*number))).await;
            all = taken.into_iter().fold(all, Result::and);
        }
        all
    }

    /// Takes a delivery out of the stream, where it is in there: nearly always it is not, and that is cheaper to ask for.
    async fn take_one_out(&self, number: u64) -> Result<(), ServerError> {
        if self.server.holds(number).await? {
            self.server.delete(number).await?;
        }
        self.state().leftover.remove(number);
        Ok(())
    }

    /// Forgets the older half of the deliveries that are done. Says whether there is more room now.
    pub(super) async fn make_room(&self, full: &ServerError) -> bool {
        loop {
            let surplus = {
                let state = self.state();
                if !state.is_current() {
                    return false;
                }
                state.surplus(Kept::Half)
            };
            if surplus.numbers.is_empty() {
                // What has just ended is in the way: its notes stay until it is certain that the deliveries are gone.
                let done = self.state().leftover.due(Duration::ZERO, usize::MAX);
                if done.is_empty() || self.take_out(&done).await.is_err() {
                    return false;
                }
                continue;
            }
            warn!("deliveries are forgotten before their time: {full}");
            match self.forget_all(&surplus).await {
                // Another replica has forgotten them, which we do not hear of: it is the rest whose older half is in the way.
                Ok(0) => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }
}
