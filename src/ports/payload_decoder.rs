//! What a delivery of one type of sender means.

use thiserror::Error;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::domain::event::ImageEvent;
use crate::domain::sender::SenderProfile;

/// One type of sender: reads its deliveries and can write one like them.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait PayloadDecoder: Send + Sync {
    /// The type, and how it proves who it is.
    fn profile(&self) -> &'static SenderProfile;

    /// Reads a delivery, whatever bytes it holds.
    ///
    /// # Errors
    /// [`DecodeError`] where it is no payload of this type. What is one and announces no push of a tag is [`Decoded::Ignored`].
    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError>;

    /// The sender's own name for a delivery, where it has one that it keeps when it sends the delivery again.
    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey>;

    /// What this sender would send for a push, without its proof of who it is.
    ///
    /// # Errors
    /// [`ComposeError`] where this type of sender cannot speak of such an image.
    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError>;
}

/// What a delivery announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Pushes of tags, at least one, each once, in the order of the payload.
    Images(Vec<ImageEvent>),
    /// Nothing that concerns us, and why.
    Ignored(String),
}

/// A delivery is no payload of its type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// A type of sender cannot speak of an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ComposeError(pub String);

/// A delivery that was made up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Composed {
    /// Headers, `Content-Type` among them.
    pub headers: Vec<(String, String)>,
    /// Query parameters beyond `type` and `secret`.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}
