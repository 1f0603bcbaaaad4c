//! `status` of an `ImageUpdater`.

use std::time::SystemTime;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Map;
use serde_json::Value;

use crate::domain::resources::image_updater_status::Condition;
use crate::domain::resources::image_updater_status::ConditionStatus;
use crate::domain::resources::image_updater_status::ImageUpdaterStatus;
use crate::domain::resources::image_updater_status::RecentUpdate;

/// Reads a status. What cannot be read of it is as if it were not there: it is no user's text, and is written anew.
#[must_use]
pub fn read(status: &Value) -> ImageUpdaterStatus {
    Wire::deserialize(status).map_or_else(|_| ImageUpdaterStatus::default(), Into::into)
}

/// The [merge patch](https://www.rfc-editor.org/rfc/rfc7386) that makes one status of another: each field that differs, and no other.
/// Lists are whole.
#[must_use]
pub fn merge_patch(before: &ImageUpdaterStatus, after: &ImageUpdaterStatus) -> Value {
    let (before, mut after) = (members(before), members(after));
    let gone: Vec<_> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .cloned()
        .collect();
    after.retain(|name, value| before.get(name) != Some(value));
    after.extend(gone.into_iter().map(|name| (name, Value::Null)));
    Value::Object(after)
}

fn members(status: &ImageUpdaterStatus) -> Map<String, Value> {
    match serde_json::to_value(Wire::from(status)) {
        Ok(Value::Object(members)) => members,
        // A structure of texts, numbers and lists is always a mapping.
        Ok(_) | Err(_) => Map::new(),
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_generation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_checked_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applications_matched: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images_managed: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recent_updates: Vec<WireUpdate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<WireCondition>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUpdate {
    alias: String,
    image: String,
    new_version: String,
    applications_updated: u32,
    updated_at: Time,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCondition {
    #[serde(rename = "type")]
    kind: String,
    status: WireConditionStatus,
    reason: String,
    message: String,
    last_transition_time: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed_generation: Option<i64>,
}

#[derive(Serialize, Deserialize)]
enum WireConditionStatus {
    True,
    False,
    Unknown,
}

/// RFC 3339 in UTC and whole seconds, as Kubernetes writes times.
#[derive(Clone, Copy)]
struct Time(SystemTime);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_seconds(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl From<Wire> for ImageUpdaterStatus {
    fn from(wire: Wire) -> Self {
        let time = |time: Time| time.0;
        Self {
            observed_generation: wire.observed_generation,
            last_checked_at: wire.last_checked_at.map(time),
            last_updated_at: wire.last_updated_at.map(time),
            applications_matched: wire.applications_matched,
            images_managed: wire.images_managed,
            recent_updates: wire.recent_updates.into_iter().map(Into::into).collect(),
            conditions: wire.conditions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&ImageUpdaterStatus> for Wire {
    fn from(status: &ImageUpdaterStatus) -> Self {
        Self {
            observed_generation: status.observed_generation,
            last_checked_at: status.last_checked_at.map(Time),
            last_updated_at: status.last_updated_at.map(Time),
            applications_matched: status.applications_matched,
            images_managed: status.images_managed,
            recent_updates: status.recent_updates.iter().map(Into::into).collect(),
            conditions: status.conditions.iter().map(Into::into).collect(),
        }
    }
}

impl From<WireUpdate> for RecentUpdate {
    fn from(wire: WireUpdate) -> Self {
        Self {
            alias: wire.alias,
            image: wire.image,
            new_version: wire.new_version,
            applications_updated: wire.applications_updated,
            updated_at: wire.updated_at.0,
            message: wire.message,
        }
    }
}

impl From<&RecentUpdate> for WireUpdate {
    fn from(update: &RecentUpdate) -> Self {
        Self {
            alias: update.alias.clone(),
            image: update.image.clone(),
            new_version: update.new_version.clone(),
            applications_updated: update.applications_updated,
            updated_at: Time(update.updated_at),
            message: update.message.clone(),
        }
    }
}

impl From<WireCondition> for Condition {
    fn from(wire: WireCondition) -> Self {
        Self {
            kind: wire.kind,
            status: match wire.status {
                WireConditionStatus::True => ConditionStatus::True,
                WireConditionStatus::False => ConditionStatus::False,
                WireConditionStatus::Unknown => ConditionStatus::Unknown,
            },
            reason: wire.reason,
            message: wire.message,
            last_transition: wire.last_transition_time.0,
            observed_generation: wire.observed_generation,
        }
    }
}

impl From<&Condition> for WireCondition {
    fn from(condition: &Condition) -> Self {
        Self {
            kind: condition.kind.clone(),
            status: match condition.status {
                ConditionStatus::True => WireConditionStatus::True,
                ConditionStatus::False => WireConditionStatus::False,
                ConditionStatus::Unknown => WireConditionStatus::Unknown,
            },
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            last_transition_time: Time(condition.last_transition),
            observed_generation: condition.observed_generation,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({
            "observedGeneration": 3,
            "lastCheckedAt": "2026-11-24T17:00:00Z",
            "lastUpdatedAt": "2026-11-24T16:00:00Z",
            "applicationsMatched": 10,
            "imagesManaged": 12,
            "recentUpdates": [{
                "alias": "web", "image": "ghcr.io/acme/web", "newVersion": "1.2", "applicationsUpdated": 2,
                "updatedAt": "2026-11-24T16:00:00Z", "message": "Updated from 1.1 to 1.2.",
            }],
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "ReconcileSucceeded", "message": "m",
                "lastTransitionTime": "2026-11-24T15:00:00Z", "observedGeneration": 3,
            }],
        })
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let status = read(&whole());
        assert_eq!(status.applications_matched, Some(10));
        assert_eq!(
            merge_patch(&ImageUpdaterStatus::default(), &status),
            whole()
        );
    }

    #[test]
    fn a_patch_holds_what_differs_alone() {
        let before = read(&whole());
        assert_eq!(merge_patch(&before, &before), json!({}));
        let mut after = before.clone();
        after.images_managed = Some(13);
        after.last_updated_at = None;
        assert_eq!(
            merge_patch(&before, &after),
            json!({"imagesManaged": 13, "lastUpdatedAt": null})
        );
        after = before.clone();
        after.conditions[0].message = "n".to_owned();
        let patch = merge_patch(&before, &after);
        assert_eq!(patch["conditions"][0]["type"], "Ready");
        assert_eq!(patch.as_object().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_status_counts_as_none() {
        for value in [
            json!("x"),
            json!({"conditions": 7}),
            json!({"lastCheckedAt": "yesterday"}),
        ] {
            assert_eq!(read(&value), ImageUpdaterStatus::default(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in r#"\{("lastCheckedAt"|"conditions"|"imagesManaged"):("[^"\\]{0,30}"|-?[0-9]{1,20}|\[\{\}\]|null)\}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let status = read(&value);
                let again = merge_patch(&ImageUpdaterStatus::default(), &status);
                prop_assert_eq!(read(&again), status);
            }
        }
    }
}
