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
        if self.is_news_of_status(updater, error) {
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
        if self.is_news_of_event(reason, error) {
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

    fn is_news_of_status(&mut self, updater: &ResourceId, error: &TellError) -> bool {
        match lasting(error, &updater.to_string()) {
            Some(key) => self.told.insert(key),
            None => !std::mem::replace(&mut self.no_statuses, true),
        }
    }

    fn is_news_of_event(&mut self, reason: &str, error: &TellError) -> bool {
        match lasting(error, reason) {
            Some(key) => self.told.insert(key),
            None => !std::mem::replace(&mut self.no_events, true),
        }
    }
}

/// What an error that lasts is about; `None` where it may pass.
fn lasting(error: &TellError, about: &str) -> Option<String> {
    match error {
        TellError::Forbidden {
            verb,
            resource,
            namespace,
            ..
        } => Some(format!("{verb} {resource} {namespace}")),
        TellError::Gone | TellError::Refused { .. } => Some(about.to_owned()),
        TellError::Unavailable { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::id;

    fn forbidden(namespace: &str) -> TellError {
        TellError::Forbidden {
            verb: "create",
            resource: "events",
            namespace: namespace.to_owned(),
            reason: "no".to_owned(),
        }
    }

    fn because(reason: &str) -> String {
        reason.to_owned()
    }

    #[test]
    fn a_missing_permission_is_news_once() {
        let mut grievances = Grievances::default();
        assert!(grievances.is_news_of_event("A", &forbidden("x")));
        assert!(!grievances.is_news_of_event("B", &forbidden("x")));
        grievances.events_work();
        assert!(!grievances.is_news_of_event("A", &forbidden("x")));
        assert!(grievances.is_news_of_event("A", &forbidden("y")));
    }

    #[test]
    fn what_is_refused_is_news_once_for_each_object() {
        let mut grievances = Grievances::default();
        let refused = |reason| TellError::Refused {
            reason: because(reason),
        };
        assert!(grievances.is_news_of_status(&id("a"), &refused("1")));
        assert!(!grievances.is_news_of_status(&id("a"), &refused("2")));
        assert!(grievances.is_news_of_status(&id("b"), &refused("1")));
    }

    #[test]
    fn an_outage_is_news_when_it_begins() {
        let mut grievances = Grievances::default();
        let out = |reason| TellError::Unavailable {
            reason: because(reason),
        };
        assert!(grievances.is_news_of_status(&id("a"), &out("1")));
        assert!(!grievances.is_news_of_status(&id("b"), &out("2")));
        assert!(grievances.is_news_of_event("A", &out("1")));
        grievances.status_works();
        assert!(grievances.is_news_of_status(&id("a"), &out("3")));
        assert!(!grievances.is_news_of_event("A", &out("3")));
    }
}
