//! Harbor, in its default payload format and in its CloudEvents format.
//!
//! The two differ in the envelope alone: `type` is `PUSH_ARTIFACT` (`pushImage` in Harbor 1) with `event_data`, or
//! `harbor.artifact.pushed` with `data`. The registry's host is in each resource's URL and nowhere else.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::json::Element;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::keys;
use crate::adapters::senders::names::full_name;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::names::registry;
use crate::adapters::senders::names::split_host;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::quote::quoted;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::domain::event::ImageEvent;
use crate::domain::reference::ImageName;
use crate::domain::sender::Authentication;
use crate::domain::sender::SenderProfile;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::Composed;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;
use crate::ports::payload_decoder::PayloadDecoder;

/// Harbor's webhook policies.
pub(super) struct Harbor;

static PROFILE: SenderProfile = SenderProfile {
    name: "harbor",
    secret_name: "harbor",
    title: "Harbor",
    authentication: Authentication::AuthorizationHeader,
    documentation: "https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/",
};

const PUSHES: [&str; 3] = ["PUSH_ARTIFACT", "pushImage", "harbor.artifact.pushed"];

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Payload<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    event_data: Option<Event<'a>>,
    data: Option<Event<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Event<'a> {
    #[serde(borrow)]
    resources: Option<Vec<Element<Resource<'a>>>>,
    repository: Option<Repository<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Resource<'a> {
    #[serde(borrow)]
    digest: Text<'a>,
    tag: Text<'a>,
    #[serde(rename = "resource_url")]
    url: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Repository<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    namespace: Text<'a>,
    repo_full_name: Text<'a>,
}

impl PayloadDecoder for Harbor {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let payload: Payload = parse_object(&delivery.body)?;
        let kind = payload.r#type.get().ok_or_else(|| missing("type"))?;
        if !PUSHES.contains(&kind) {
            return Ok(Decoded::Ignored(format!(
                "the event type {} is no push of an image",
                quoted(kind)
            )));
        }
        let event = payload.event_data.or(payload.data);
        pushed(event.ok_or_else(|| missing("event_data"))?)
    }

    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey> {
        // The `id` of its CloudEvents is another one at each attempt.
        keys::request(&delivery.body)
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        let repository = event.image.repository().as_str();
        // Harbor's namespace is the project: what stands before the first slash.
        let (namespace, name) = repository.split_once('/').unwrap_or(("", repository));
        Ok(compose::json(&json!({
            "type": "PUSH_ARTIFACT",
            "occur_at": fresh::seconds(),
            "operator": "robot$ci",
            "event_data": {
                "resources": [{
                    "digest": compose::digest(event),
                    "tag": event.tag.as_str(),
                    "resource_url": format!("{}:{}", event.image, event.tag),
                }],
                "repository": {
                    "date_created": 1_600_000_000,
                    "name": name,
                    "namespace": namespace,
                    "repo_full_name": repository,
                    "repo_type": "private",
                },
            },
        })))
    }
}

fn pushed(event: Event) -> Result<Decoded, DecodeError> {
    let repository = event.repository.unwrap_or_default();
    let name = full_name(
        &repository.repo_full_name,
        &repository.namespace,
        &repository.name,
    )
    .ok_or_else(|| missing("repository.repo_full_name"))?;
    let resources = event.resources.unwrap_or_default();
    if resources.is_empty() {
        return Err(missing("resources"));
    }
    let mut pushes = Pushes::default();
    for resource in &resources {
        let resource = resource.read("resources");
        match resource.and_then(|resource| Ok((resource, pushed_image(resource, &name)?))) {
            Ok((resource, image)) => pushes.add(image, resource.tag.get(), resource.digest.get()),
            Err(error) => pushes.wrong(error),
        }
    }
    pushes.decoded()
}

fn pushed_image(resource: &Resource, name: &str) -> Result<ImageName, DecodeError> {
    let registry = registry("resource_url", host(resource, name)?)?;
    image(registry, "repository.repo_full_name", name)
}

/// The registry's host in a resource's URL. A URL that begins with the repository names none.
fn host<'a>(resource: &'a Resource<'_>, repository: &str) -> Result<&'a str, DecodeError> {
    let url = resource.url.get();
    let url = url.ok_or_else(|| missing("resource_url, which names the registry"))?;
    let rest = url.strip_prefix(repository);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@'])) {
        return Err(DecodeError(format!(
            "resource_url: {} names no registry",
            quoted(url)
        )));
    }
    Ok(split_host(url).0)
}
