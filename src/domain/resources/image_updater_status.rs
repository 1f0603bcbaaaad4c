//! The `status` of an `ImageUpdater`: what was found out about it, for people and for what watches it.
//!
//! Fields and conditions are those of the
//! [CRD](https://github.com/argoproj-labs/argocd-image-updater/tree/master/config/crd); conditions follow the
//! [conventions of the API](https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties).

use std::time::SystemTime;

/// What is said of an ImageUpdater.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageUpdaterStatus {
    /// `observedGeneration`: the `metadata.generation` of which it speaks.
    pub observed_generation: Option<i64>,
    /// `lastCheckedAt`.
    pub last_checked_at: Option<SystemTime>,
    /// `lastUpdatedAt`: when an image was last changed.
    pub last_updated_at: Option<SystemTime>,
    /// `applicationsMatched`: in how many Applications it tracks images.
    pub applications_matched: Option<u32>,
    /// `imagesManaged`: how many images it tracks that are live, summed over its Applications.
    pub images_managed: Option<u32>,
    /// `recentUpdates`: what the last run that changed anything changed.
    pub recent_updates: Vec<RecentUpdate>,
    /// `conditions`, no two of one type.
    pub conditions: Vec<Condition>,
}

/// One of `recentUpdates`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentUpdate {
    /// `alias`; the image's name where it has no alias.
    pub alias: String,
    /// `image`, without a tag.
    pub image: String,
    /// `newVersion`: the digest, if there is one, else the tag.
    pub new_version: String,
    /// `applicationsUpdated`.
    pub applications_updated: u32,
    /// `updatedAt`.
    pub updated_at: SystemTime,
    /// `message`.
    pub message: String,
}

/// One of `conditions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `type`.
    pub kind: String,
    /// `status`.
    pub status: ConditionStatus,
    /// `reason`, a word for programs.
    pub reason: String,
    /// `message`, for people.
    pub message: String,
    /// `lastTransitionTime`: since when it has its status.
    pub last_transition: SystemTime,
    /// `observedGeneration`.
    pub observed_generation: Option<i64>,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows.
    Unknown,
}

impl ImageUpdaterStatus {
    /// The condition of a type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == kind)
    }

    /// Puts a condition in the place of the one of its type. The time of its last transition stays where its status does.
    pub(in crate::domain) fn set_condition(&mut self, mut condition: Condition) {
        let mut conditions = self.conditions.iter_mut();
        let Some(before) = conditions.find(|before| before.kind == condition.kind) else {
            self.conditions.push(condition);
            return;
        };
        if before.status == condition.status {
            condition.last_transition = before.last_transition;
        }
        *before = condition;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn ready(status: ConditionStatus, reason: &str, seconds: u64) -> Condition {
        Condition {
            kind: "Ready".to_owned(),
            status,
            reason: reason.to_owned(),
            message: String::new(),
            last_transition: at(seconds),
            observed_generation: None,
        }
    }

    #[test]
    fn the_time_of_a_transition_is_that_of_the_last_turn() {
        let mut status = ImageUpdaterStatus::default();
        for (condition, since) in [
            (ready(ConditionStatus::True, "A", 1), 1),
            (ready(ConditionStatus::True, "B", 2), 1),
            (ready(ConditionStatus::False, "B", 3), 3),
            (ready(ConditionStatus::Unknown, "B", 4), 4),
        ] {
            status.set_condition(condition.clone());
            let expected = Condition {
                last_transition: at(since),
                ..condition
            };
            assert_eq!(status.conditions, [expected]);
        }
    }
}
