//! A delivery as EventBridge sends it for ECR, and for any other registry one of the generic kind.

use serde_json::Value;
use serde_json::json;

use crate::adapters::senders::cloud_events::ecr;
use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::domain::event::ImageEvent;
use crate::ports::payload_decoder::Composed;

pub(super) fn delivery(event: &ImageEvent) -> Composed {
    let repository = event.image.repository();
    let mut payload = json!({
        "specversion": "1.0",
        "id": fresh::id(),
        "subject": format!("{repository}:{}", event.tag),
        "time": fresh::time(),
        "datacontenttype": "application/json",
    });
    let specific = match ecr::account_and_region(event.image.registry()) {
        Some((account, region)) => of_ecr(event, account, region),
        None => generic(event),
    };
    if let (Some(payload), Value::Object(specific)) = (payload.as_object_mut(), specific) {
        payload.extend(specific);
    }
    compose::json(&payload)
}

fn of_ecr(event: &ImageEvent, account: &str, region: &str) -> Value {
    let repository = event.image.repository().as_str();
    json!({
        "type": "com.amazon.ecr.image.push",
        "source": format!("urn:aws:ecr:{region}:{account}:repository/{repository}"),
        "data": {
            "repositoryName": repository,
            "imageDigest": compose::digest(event),
            "imageTag": event.tag.as_str(),
            "registryId": account,
        },
    })
}

fn generic(event: &ImageEvent) -> Value {
    let (registry, repository) = (event.image.registry(), event.image.repository());
    json!({
        "type": "container.image.pushed",
        "source": format!("https://{registry}/{repository}"),
        "data": {
            "registryUrl": registry.as_str(),
            "repository": repository.as_str(),
            "tag": event.tag.as_str(),
            "digest": compose::digest(event),
        },
    })
}
