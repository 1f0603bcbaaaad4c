//! A delivery that is let in and means something.

use std::time::SystemTime;

use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::delivery::TraceParent;
use crate::domain::event::ImageEvent;

/// A delivery that is let in and means something. Nothing secret is in it: no header, no query, no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Our name for it.
    pub delivery: DeliveryId,
    /// The type of its sender.
    pub sender: String,
    /// The sender's own name for it, where it has one.
    pub key: Option<SenderKey>,
    /// When it came in.
    pub at: SystemTime,
    /// Its part of a trace, where there is one.
    pub trace: Option<TraceParent>,
    /// What it announces, at least one, no tag twice.
    pub events: Vec<ImageEvent>,
}
