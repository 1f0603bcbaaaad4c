//! Docker Distribution, the registry of many products, GitLab's among them.
//!
//! It sends an envelope of events, related or not: a push of an image is one for each layer, one for each platform's manifest and one for
//! the tag. It knows itself by the host that its client used, so an operator whose cluster uses another one writes that into the webhook's
//! URL as the query parameter `registry_url`.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::json::Element;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::keys;
use crate::adapters::senders::media_type::is_image;
use crate::adapters::senders::names::REGISTRY_URL;
use crate::adapters::senders::names::chosen_registry;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::names::registry;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::quote::quoted;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::domain::event::ImageEvent;
use crate::domain::reference::Registry;
use crate::domain::sender::Authentication;
use crate::domain::sender::SenderProfile;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::Composed;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;
use crate::ports::payload_decoder::PayloadDecoder;

/// The notifications of a Distribution registry.
pub(super) struct Distribution;

static PROFILE: SenderProfile = SenderProfile {
    name: "distribution",
    secret_name: "distribution",
    title: "Docker Distribution and GitLab",
    authentication: Authentication::AuthorizationHeader,
    documentation: "https://distribution.github.io/distribution/about/notifications/",
};

const CONTENT_TYPE: &str = "application/vnd.docker.distribution.events.v2+json";

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Envelope<'a> {
    #[serde(borrow)]
    events: Option<Vec<Element<Event<'a>>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Event<'a> {
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
    url: Text<'a>,
    tag: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Request<'a> {
    #[serde(borrow)]
    host: Text<'a>,
}

impl PayloadDecoder for Distribution {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let envelope: Envelope = parse_object(&delivery.body)?;
        let chosen = chosen_registry(delivery)?;
        let mut pushes = Pushes::default();
        for event in envelope.events.ok_or_else(|| missing("events"))? {
            let read = event.read("events");
            if let Err(error) = read.and_then(|event| add(event, chosen.as_ref(), &mut pushes)) {
                pushes.wrong(error);
            }
        }
        pushes.decoded()
    }

    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey> {
        keys::of_events(&delivery.body)
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        let (registry, repository) = (event.image.registry(), event.image.repository());
        let named = event.digest.as_ref();
        let named = named.map_or(event.tag.as_str(), |digest| digest.as_str());
        let mut composed = compose::json(&json!({
            "events": [{
                "id": fresh::id(),
                "timestamp": fresh::time(),
                "action": "push",
                "target": {
                    "mediaType": "application/vnd.oci.image.index.v1+json",
                    "digest": compose::digest(event),
                    "size": 1609,
                    "length": 1609,
                    "repository": repository.as_str(),
                    "url": format!("https://{registry}/v2/{repository}/manifests/{named}"),
                    "tag": event.tag.as_str(),
                },
                "request": {
                    "id": fresh::id(),
                    "addr": "192.0.2.17:52110",
                    "host": registry.as_str(),
                    "method": "PUT",
                    "useragent": "docker/28.0.1 go/go1.24 os/linux arch/amd64",
                },
                "actor": {"name": "ci"},
                "source": {"addr": "registry-0:5000", "instanceID": fresh::id()},
            }],
        }));
        composed.headers = vec![("Content-Type".to_owned(), CONTENT_TYPE.to_owned())];
        Ok(composed)
    }
}

/// Adds what one event announces.
fn add(event: &Event, chosen: Option<&Registry>, pushes: &mut Pushes) -> Result<(), DecodeError> {
    let action = event.action.get().ok_or_else(|| missing("events.action"))?;
    if action != "push" {
        let action = quoted(action);
        pushes.leave_out(format!("the action {action} is no push of an image"));
        return Ok(());
    }
    let target = event.target.as_ref();
    let target = target.ok_or_else(|| missing("events.target"))?;
    // Layers come by the same action.
    if let Some(kind) = target.media_type.get().filter(|kind| !is_image(kind)) {
        let kind = quoted(kind);
        pushes.leave_out(format!("what was pushed is no image but {kind}"));
        return Ok(());
    }
    let repository = target.repository.get();
    let repository = repository.ok_or_else(|| missing("events.target.repository"))?;
    let registry = match chosen {
        Some(chosen) => chosen.clone(),
        None => own_registry(event.request.as_ref(), target)?,
    };
    let image = image(registry, "events.target.repository", repository)?;
    pushes.add(image, target.tag.get(), target.digest.get());
    Ok(())
}

/// The registry as it knows itself: by the host that the client pushed to, else by the URL that it makes of its own settings. That may be
/// a path alone.
fn own_registry(request: Option<&Request>, target: &Target) -> Result<Registry, DecodeError> {
    let host = request.and_then(|request| request.host.get());
    let url = target.url.get().filter(|url| !url.starts_with('/'));
    match (host, url) {
        (Some(host), _) => registry("events.request.host", host),
        (None, Some(url)) => registry("events.target.url", url),
        (None, None) => Err(DecodeError(format!(
            "the payload has no events.request.host: add {REGISTRY_URL}=<host> to the webhook's URL"
        ))),
    }
}
