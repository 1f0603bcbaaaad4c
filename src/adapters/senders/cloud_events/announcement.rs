//! Whether an event announces a push.

use crate::adapters::senders::cloud_events::ecr;
use crate::adapters::senders::cloud_events::envelope::Event;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::media_type::no_image;
use crate::adapters::senders::quote::quoted;

/// Last words of a type that mean a push, whatever stands before them.
const PUSHED: [&str; 9] = [
    "push",
    "pushed",
    "publish",
    "published",
    "upload",
    "uploaded",
    "replicate",
    "replicated",
    "replication",
];
/// Last words that mean a push right after a word for what is pushed. A "scan created" is none.
const CHANGED: [&str; 4] = ["create", "created", "update", "updated"];
/// Words for what is pushed. A container is none: where it is created or updated, a runtime starts it.
const THINGS: [&str; 3] = ["image", "tag", "artifact"];
/// Words at the end of a type that say nothing of what happened. A word that says that it failed is none of them.
const FILLERS: [&str; 5] = ["action", "completed", "event", "succeeded", "success"];
/// Where data tells the media type of what was pushed.
const MEDIA_TYPES: [&str; 3] = ["artifact-media-type", "artifactMediaType", "mediaType"];

/// Why an event announces no push, if it does not.
pub(super) fn no_push(event: &Event) -> Option<String> {
    let of_ecr = ecr::is_type(&event.kind);
    let action = Text::of(&event.data, "actionType").or(|| Text::of(&event.data, "action-type"));
    let lower = event.kind.to_ascii_lowercase();
    if !of_ecr && !lower.contains("container") && !lower.contains("image") {
        let kind = quoted(&event.kind);
        return Some(format!("the event type {kind} is none of an image"));
    }
    let said = action.get().filter(|_| of_ecr).unwrap_or(&event.kind);
    if !means_push(said) {
        return Some(format!("the event {} is no push of an image", quoted(said)));
    }
    let result = Text::of(&event.data, "result");
    let failed = result.get().filter(|_| of_ecr).and_then(failure);
    let media_type = || {
        MEDIA_TYPES
            .iter()
            .find_map(|key| no_image(Text::of(&event.data, key).get()?))
    };
    failed.or_else(media_type)
}

/// What a result says that is no success.
pub(super) fn failure(result: &str) -> Option<String> {
    let success = result.eq_ignore_ascii_case("success");
    (!success).then(|| format!("the result is {}", quoted(result)))
}

fn means_push(kind: &str) -> bool {
    let words = words(kind);
    let mut words = words.iter().map(String::as_str).rev();
    let Some(last) = words.find(|word| !FILLERS.contains(word) && !is_version(word)) else {
        return false;
    };
    PUSHED.contains(&last)
        || CHANGED.contains(&last) && words.next().is_some_and(|word| THINGS.contains(&word))
}

/// `1`, `v1`, `v2alpha1`.
fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// The words of a type in lower case: `org.acme.ImagePushed` has `org`, `acme`, `image`, `pushed`.
fn words(kind: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in kind.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use serde_json::json;

    fn event(kind: &str, data: Value) -> Event {
        Event {
            kind: kind.to_owned(),
            source: String::new(),
            subject: String::new(),
            data,
        }
    }

    #[test]
    fn types_that_mean_a_push() {
        for kind in [
            "com.amazon.ecr.image.push",
            "com.amazon.ecr.image.replicate",
            "com.amazon.ecr.replication",
            "com.example.container.push",
            "org.container.image.published",
            "container.push",
            "container.pushed",
            "container.image.pushed",
            "container.image.created",
            "zotregistry.image.updated",
            "com.example.container-image.pushed.v1",
            "com.example.image.push.0.2.0",
            "com.example.image.tag.created",
            "Example.ContainerRegistry.ImagePushed",
            "com.example.image.push.completed",
        ] {
            assert_eq!(no_push(&event(kind, Value::Null)), None, "{kind}");
        }
    }

    #[test]
    fn types_that_mean_something_else() {
        for kind in [
            "",
            "com.example.database.updated",
            "com.example.image.deleted",
            "com.example.image.pull",
            "com.example.image.scanned",
            "com.example.image.scan.completed",
            "com.example.image.scan.created",
            "com.example.image.push.failed",
            "com.example.pushed.image",
            "com.example.container.image",
            "io.runtime.container.created",
            "io.runtime.container.updated",
            "Example.ContainerUpdated",
            "com.amazon.ecr.image.delete",
            "com.amazon.ecr.image.scan",
            "harbor.artifact.pushed",
        ] {
            assert!(no_push(&event(kind, Value::Null)).is_some(), "{kind}");
        }
    }

    #[test]
    fn the_data_may_say_more() {
        let ecr = |data| no_push(&event("com.amazon.ecr.image.push", data));
        assert_eq!(
            ecr(json!({"result": "SUCCESS", "actionType": "PUSH"})),
            None
        );
        assert_eq!(
            ecr(json!({"result": null, "action-type": "REPLICATE"})),
            None
        );
        for data in [
            json!({"result": "FAILURE"}),
            json!({"actionType": "DELETE"}),
            json!({"artifactMediaType": "application/vnd.cncf.helm.config.v1+json"}),
        ] {
            assert!(ecr(data.clone()).is_some(), "{data}");
        }
    }
}
