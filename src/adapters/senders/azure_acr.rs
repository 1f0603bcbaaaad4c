//! Azure Container Registry.
//!
//! Every manifest of a multi-platform image is a push of its own; only that of the index has a tag.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::keys;
use crate::adapters::senders::media_type::no_image;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::names::registry;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::quote::quoted;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::domain::event::ImageEvent;
use crate::domain::sender::Authentication;
use crate::domain::sender::SenderProfile;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::Composed;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;
use crate::ports::payload_decoder::PayloadDecoder;

/// The webhooks of Azure's registry.
pub(super) struct AzureAcr;

static PROFILE: SenderProfile = SenderProfile {
    name: "acr",
    secret_name: "acr",
    title: "Azure Container Registry",
    authentication: Authentication::AuthorizationHeader,
    documentation: "https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference",
};

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Payload<'a> {
    #[serde(borrow)]
    action: Text<'a>,
    target: Option<Target<'a>>,
    request: Option<Request<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object", rename_all = "camelCase")]
struct Target<'a> {
    #[serde(borrow)]
    media_type: Text<'a>,
    digest: Text<'a>,
    repository: Text<'a>,
    tag: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Request<'a> {
    #[serde(borrow)]
    host: Text<'a>,
}

impl PayloadDecoder for AzureAcr {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let payload: Payload = parse_object(&delivery.body)?;
        match payload.action.get().ok_or_else(|| missing("action"))? {
            "push" => pushed(
                &payload.target.unwrap_or_default(),
                &payload.request.unwrap_or_default(),
            ),
            "ping" => Ok(Decoded::Ignored("it is a ping".to_owned())),
            other => Ok(Decoded::Ignored(format!(
                "the action {} is no push of an image",
                quoted(other)
            ))),
        }
    }

    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey> {
        keys::id(&delivery.body)
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        let mut composed = compose::json(&json!({
            "id": fresh::id(),
            "timestamp": fresh::time(),
            "action": "push",
            "target": {
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "size": 1609,
                "digest": compose::digest(event),
                "length": 1609,
                "repository": event.image.repository().as_str(),
                "tag": event.tag.as_str(),
            },
            "request": {
                "id": fresh::id(),
                "host": event.image.registry().as_str(),
                "method": "PUT",
                "useragent": "docker/28.0.1 go/go1.24 os/linux arch/amd64",
            },
        }));
        let agent = (
            "User-Agent".to_owned(),
            "AzureContainerRegistry/1.0".to_owned(),
        );
        composed.headers.push(agent);
        Ok(composed)
    }
}

fn pushed(target: &Target, request: &Request) -> Result<Decoded, DecodeError> {
    let repository = target
        .repository
        .get()
        .ok_or_else(|| missing("target.repository"))?;
    let host = request.host.get().ok_or_else(|| missing("request.host"))?;
    let registry = registry("request.host", host)?;
    let image = image(registry, "target.repository", repository)?;
    let mut pushes = Pushes::default();
    match target.media_type.get().and_then(no_image) {
        Some(reason) => pushes.leave_out(reason),
        None => pushes.add(image, target.tag.get(), target.digest.get()),
    }
    pushes.decoded()
}
