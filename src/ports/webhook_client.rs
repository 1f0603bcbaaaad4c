//! Sending a delivery, as a registry would.

use async_trait::async_trait;
use thiserror::Error;

/// Posts deliveries to a webhook server.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait WebhookClient: Send + Sync {
    /// Posts one request and gives the answer, whatever its status.
    ///
    /// # Errors
    /// [`SendError`] where there is no answer.
    async fn post(&self, request: Request) -> Result<Answer, SendError>;
}

/// What is posted. It carries the proof of knowing a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The whole URL, its query included.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to send the delivery: {reason}")]
pub struct SendError {
    /// What went wrong, without the URL's query.
    pub reason: String,
}
