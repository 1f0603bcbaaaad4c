//! An intake that says what it is told to say.

use std::sync::Mutex;

use async_trait::async_trait;
use image_updater::domain::delivery::Delivery;
use image_updater::ports::webhook_intake::{Outcome, Rejection, WebhookIntake};
use tokio::sync::Semaphore;

/// Keeps what it is given and answers always the same.
pub(crate) struct FakeIntake {
    outcome: Outcome,
    seen: Mutex<Vec<Delivery>>,
    /// One permit lets one delivery through.
    gate: Semaphore,
}

impl FakeIntake {
    /// Answers at once.
    pub(crate) fn new(outcome: Outcome) -> Self {
        Self::gated(outcome, Semaphore::MAX_PERMITS)
    }

    /// Answers so many deliveries; the next ones wait for [`Self::release`].
    pub(crate) fn gated(outcome: Outcome, open: usize) -> Self {
        Self {
            outcome,
            seen: Mutex::default(),
            gate: Semaphore::new(open),
        }
    }

    /// Lets one delivery through.
    pub(crate) fn release(&self) {
        self.gate.add_permits(1);
    }

    /// What it was given.
    pub(crate) fn seen(&self) -> Vec<Delivery> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl WebhookIntake for FakeIntake {
    /// Whatever is rejected can be told from its head.
    fn screen(&self, _: &Delivery) -> Result<(), Rejection> {
        match &self.outcome {
            Outcome::Rejected(rejection) => Err(rejection.clone()),
            Outcome::Accepted { .. } | Outcome::Duplicate { .. } | Outcome::Ignored { .. } => {
                Ok(())
            }
        }
    }

    async fn accept(&self, delivery: Delivery) -> Outcome {
        self.seen.lock().unwrap().push(delivery);
        self.gate.acquire().await.unwrap().forget();
        self.outcome.clone()
    }
}

/// The outcome of most tests.
pub(crate) fn ignored() -> Outcome {
    Outcome::Ignored {
        reason: "nothing to do".to_owned(),
    }
}
