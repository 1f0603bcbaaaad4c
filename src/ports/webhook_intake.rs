//! The driving port: what a server may ask of the application.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::domain::event::ImageEvent;

/// Takes deliveries in.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait WebhookIntake: Send + Sync {
    /// Refuses a delivery of which headers and query alone show that [`accept`](Self::accept) would reject it. Its body is not read yet,
    /// and empty here.
    ///
    /// # Errors
    /// The [`Rejection`].
    fn screen(&self, head: &Delivery) -> Result<(), Rejection>;

    /// Authenticates, decodes and queues a delivery, and says what became of it. When it says "accepted", the events are queued.
    async fn accept(&self, delivery: Delivery) -> Outcome;
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its events are queued.
    Accepted {
        /// The events, at least one.
        images: Vec<ImageEvent>,
    },
    /// It is a delivery that waits or is in work already.
    Duplicate {
        /// Our name for that one.
        of: DeliveryId,
        /// The events, at least one.
        images: Vec<ImageEvent>,
    },
    /// It is authentic and means nothing to us.
    Ignored {
        /// Why.
        reason: String,
    },
    /// It was not taken.
    Rejected(Rejection),
}

/// Why a delivery was not taken. The texts are those that people search for; the documentation of the Go program has them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// No such type, or one without a secret.
    #[error(
        "no handler available for this webhook; check the query parameter `type`, and that a secret is configured for that type"
    )]
    NoHandler,
    /// It carries no secret or signature.
    #[error("Missing webhook secret")]
    MissingSecret,
    /// Its secret or signature is wrong.
    #[error("Invalid webhook secret")]
    InvalidSecret,
    /// It is authentic, but no payload of its type.
    #[error("Failed to process webhook event: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no room for it now.
    #[error("the queue is full; try again in {} s", retry_after.as_secs_f64().ceil())]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// It cannot be kept safe now.
    #[error("the delivery cannot be kept now; try again in {} s", retry_after.as_secs_f64().ceil())]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
