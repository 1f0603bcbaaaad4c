//! Quay, quay.io and installations of it.
//!
//! A push tells all tags that it moved, without digests. Quay stops calling a webhook that has failed three times, so its other
//! notifications (builds, scans, mirroring), which come to the same URL, must not be errors.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::json::Element;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::names::full_name;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::names::registry;
use crate::adapters::senders::names::split_host;
use crate::adapters::senders::pushes::Pushes;
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

/// Quay's repository notifications.
pub(super) struct Quay;

static PROFILE: SenderProfile = SenderProfile {
    name: "quay.io",
    secret_name: "quay",
    title: "Quay",
    authentication: Authentication::QuerySecret,
    documentation: "https://docs.quay.io/guides/notifications.html",
};

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Payload<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    repository: Text<'a>,
    namespace: Text<'a>,
    docker_url: Text<'a>,
    updated_tags: Option<Vec<Element<Text<'a>>>>,
}

impl Payload<'_> {
    /// The repository's path: told as such, else in the URL, else in parts.
    fn path(&self) -> Option<String> {
        let url_path = self.docker_url.get().and_then(|url| split_host(url).1);
        let told = self.repository.get().or(url_path);
        told.map(str::to_owned)
            .or_else(|| full_name(&Text::default(), &self.namespace, &self.name))
    }
}

impl PayloadDecoder for Quay {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let payload: Payload = parse_object(&delivery.body)?;
        let tags = payload.updated_tags.as_deref().unwrap_or_default();
        if tags.is_empty() {
            // Other notifications may lack whatever a push has.
            return Ok(Decoded::Ignored(
                "the notification names no updated_tags, so it is no push".to_owned(),
            ));
        }
        let path = payload.path().ok_or_else(|| missing("repository"))?;
        let host = payload.docker_url.get().unwrap_or(PROFILE.name);
        let image = image(registry("docker_url", host)?, "repository", &path)?;
        let mut pushes = Pushes::default();
        for tag in tags {
            match tag.read("updated_tags") {
                Ok(tag) => pushes.add(image.clone(), tag.get(), None),
                Err(error) => pushes.wrong(error),
            }
        }
        pushes.decoded()
    }

    /// It has none.
    fn sender_key(&self, _: &Delivery) -> Option<SenderKey> {
        None
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        let (namespace, name) = compose::namespace_and_name(event);
        let (registry, repository) = (event.image.registry(), event.image.repository());
        Ok(compose::json(&json!({
            "name": name,
            "repository": repository.as_str(),
            "namespace": namespace,
            "docker_url": event.image.to_string(),
            "homepage": format!("https://{registry}/repository/{repository}"),
            "updated_tags": [event.tag.as_str()],
        })))
    }
}
