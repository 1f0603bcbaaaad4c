//! What could not be told, each thing once in the log.

use std::collections::HashSet;

use tracing::debug;
use tracing::info;
use tracing::warn;

use crate::domain::resources::resource::ResourceId;
use crate::domain::status::announcement::Announcement;
use crate::ports::tell_error::TellError;

/// What the log was told of and has not ended.
#[derive(Debug, Default)]
pub(super) struct Grievances {
    /// Permissions that are missing, and ImageUpdaters and reasons of Events that are refused. Each lasts as long as the process: what is granted
    /// meanwhile needs no line.
    told: HashSet<String>,
    no_statuses: bool,
    no_events: bool,
}

impl Grievances {
    pub(super) fn status(&mut self, updater: &ResourceId, error: &TellError) {
        let is_new = match error {
            TellError::Unavailable { .. } => !std::mem::replace(&mut self.no_statuses, true),
            _ => self.is_new(error, &updater.to_string()),
        };
        if is_new {
            warn!(image_updater = %updater, %error, "status could not be written; nothing else depends on it");
        } else {
            debug!(image_updater = %updater, %error, "status could not be written");
        }
    }

    pub(super) fn status_works(&mut self) {
        if std::mem::take(&mut self.no_statuses) {
            info!("statuses are written again");
        }
    }

    pub(super) fn event(&mut self, announcement: &Announcement, error: &TellError) {
        let Announcement { about, reason, .. } = announcement;
        let is_new = match error {
            TellError::Unavailable { .. } => !std::mem::replace(&mut self.no_events, true),
            _ => self.is_new(error, reason),
        };
        if is_new {
            warn!(?about, event = reason, %error, "Event could not be written; nothing else depends on it");
        } else {
            debug!(?about, event = reason, %error, "Event could not be written");
        }
    }

    pub(super) fn events_work(&mut self) {
        if std::mem::take(&mut self.no_events) {
            info!("Events are written again");
        }
    }

    /// Whether it is the first of its kind.
    fn is_new(&mut self, error: &TellError, about: &str) -> bool {
        let key = match error {
            TellError::Forbidden {
                verb,
                resource,
                namespace,
                ..
            } => format!("{verb} {resource} {namespace}"),
            TellError::Gone | TellError::Refused { .. } | TellError::Unavailable { .. } => {
                about.to_owned()
            }
        };
        self.told.insert(key)
    }
}
