//! Statuses that are let in or not.

use serde_json::Value;
use serde_json::json;

use super::definition::Definition;
use super::objects::rule;
use crate::support::World;

const NOW: &str = "2026-01-01T00:00:00Z";

fn condition() -> Value {
    json!({"type": "Ready", "status": "True", "reason": "ReconcileSucceeded", "message": "", "lastTransitionTime": NOW, "observedGeneration": 1})
}

fn whole() -> Value {
    let update = json!({"alias": "a", "image": "b", "newVersion": "c", "applicationsUpdated": 1, "updatedAt": NOW});
    json!({
        "observedGeneration": 1, "lastCheckedAt": NOW, "lastUpdatedAt": NOW, "applicationsMatched": 1, "imagesManaged": 1,
        "recentUpdates": [update, update], "conditions": [condition()],
    })
}

/// Statuses that are refused, with a part of why.
fn refused() -> Vec<(Value, &'static str)> {
    let changed = |key: &str, value: Value| {
        let mut changed = condition();
        changed[key] = value;
        json!({"conditions": [changed]})
    };
    vec![
        (
            json!({"observedGeneration": -1}),
            "greater than or equal to 0",
        ),
        (json!({"imagesManaged": -1}), "greater than or equal to 0"),
        (
            json!({"applicationsMatched": "1"}),
            "must be of type integer",
        ),
        (json!({"lastCheckedAt": "yesterday"}), "date-time"),
        (
            json!({"recentUpdates": [{"alias": "a"}]}),
            "image: Required value",
        ),
        (
            json!({"conditions": [condition(), condition()]}),
            "Duplicate value",
        ),
        (changed("status", json!("true")), "supported values"),
        (
            changed("reason", json!("")),
            "should be at least 1 chars long",
        ),
        (changed("reason", json!("no reason")), "should match"),
        (changed("type", json!("not a type")), "should match"),
        (
            changed("message", json!("x".repeat(32769))),
            "may not be more than 32768",
        ),
        (
            changed("lastTransitionTime", Value::Null),
            "lastTransitionTime: Required value",
        ),
    ]
}

#[tokio::test]
async fn statuses_are_let_in_or_not_as_by_the_published_definition() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    for definition in Definition::all(server, &world) {
        let name = definition.name;
        let mut object = rule(&json!({}));
        object["status"] = whole();
        let created = definition.create(&object, false).await.unwrap();
        assert_eq!(created.data.get("status"), None, "{name}: a subresource");
        let status = definition.status("images", &whole()).await.unwrap();
        assert_eq!(status.data["status"], whole(), "{name}");
        for (status, why) in refused() {
            let refusal = definition.status("images", &status).await.map(|_| ());
            let refusal = refusal.expect_err(&format!("{name}: {status}"));
            assert!(refusal.contains(why), "{name}: {status}: {refusal}");
        }
    }
}
