//! How connections end.

use std::io;

use thiserror::Error;

use super::activity::Activity;

/// Why a connection ended that neither side ended in order.
#[derive(Debug, Error)]
pub(super) enum EndError {
    /// A request was due.
    #[error("no request came in time")]
    Overdue,
    /// It was idle.
    #[error("idle, and its place was needed")]
    MadeRoom,
    /// It has begun what it may never end.
    #[error("over its limit and in the midst of a request, and its place was needed")]
    CutOff,
    /// It does not listen.
    #[error("stayed after it was told to go")]
    Stayed,
    /// Not even the handshake came in time.
    #[error("handshake timed out")]
    HandshakeTimedOut,
    /// The handshake came to nothing.
    #[error("handshake failed: {0}")]
    Handshake(io::Error),
    /// HTTP came to nothing.
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl EndError {
    /// Whether the client was told: hyper answers what it cannot read.
    pub(super) fn has_answer(&self) -> bool {
        match self {
            Self::Http(error) => error.is_parse(),
            Self::Overdue
            | Self::MadeRoom
            | Self::CutOff
            | Self::Stayed
            | Self::HandshakeTimedOut
            | Self::Handshake(_) => false,
        }
    }

    /// Whether it is the client's fault. Load balancers open connections and end or reset them, to see whether somebody listens; what hyper
    /// could not read has been counted when it was answered.
    pub(super) fn is_fault(&self, activity: &Activity) -> bool {
        use io::ErrorKind::{ConnectionReset, UnexpectedEof};
        match self {
            Self::Overdue | Self::MadeRoom | Self::HandshakeTimedOut => activity.owes_request(),
            // It is over its limit already, and has lost its place.
            Self::CutOff | Self::Stayed => false,
            Self::Handshake(error) => !matches!(error.kind(), ConnectionReset | UnexpectedEof),
            Self::Http(error) => !error.is_parse() && activity.is_in_head(),
        }
    }
}
