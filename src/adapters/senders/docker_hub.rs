//! Docker Hub.
//!
//! It sends one delivery for each tag that is pushed, without a digest. The payload's `callback_url` belongs to a feature that is gone; it
//! is never called.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::media_type::no_image;
use crate::adapters::senders::names::full_name;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::pushes::Pushes;
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

/// Docker Hub's webhooks.
pub(super) struct DockerHub;

static PROFILE: SenderProfile = SenderProfile {
    name: "docker.io",
    secret_name: "docker",
    title: "Docker Hub",
    authentication: Authentication::QuerySecret,
    documentation: "https://docs.docker.com/docker-hub/repos/manage/webhooks/",
};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Payload<'a> {
    #[serde(borrow)]
    push_data: Option<PushData<'a>>,
    repository: Option<Repository<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct PushData<'a> {
    #[serde(borrow)]
    tag: Text<'a>,
    media_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Repository<'a> {
    #[serde(borrow)]
    repo_name: Text<'a>,
    namespace: Text<'a>,
    name: Text<'a>,
}

impl PayloadDecoder for DockerHub {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let payload: Payload = parse_object(&delivery.body)?;
        let push = payload.push_data.ok_or_else(|| missing("push_data"))?;
        let repository = payload.repository.ok_or_else(|| missing("repository"))?;
        let name = full_name(
            &repository.repo_name,
            &repository.namespace,
            &repository.name,
        )
        .ok_or_else(|| missing("repository.repo_name"))?;
        let image = image(Registry::docker_hub(), "repository.repo_name", &name)?;
        let mut pushes = Pushes::default();
        match push.media_type.get().and_then(no_image) {
            Some(reason) => pushes.leave_out(reason),
            None => pushes.add(image, push.tag.get(), None),
        }
        pushes.decoded()
    }

    /// It has none.
    fn sender_key(&self, _: &Delivery) -> Option<SenderKey> {
        None
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        if !event.image.registry().is_docker_hub() {
            return Err(ComposeError(format!(
                "Docker Hub speaks of its own images alone; {} is none: choose another type",
                event.image
            )));
        }
        let (namespace, name) = compose::namespace_and_name(event);
        let repository = event.image.repository().as_str();
        Ok(compose::json(&json!({
            "callback_url": format!("https://registry.hub.docker.com/u/{repository}/hook/{}/", fresh::id()),
            "push_data": {
                "images": [],
                "media_type": "application/vnd.oci.image.index.v1+json",
                "pushed_at": fresh::seconds(),
                "pusher": namespace,
                "tag": event.tag.as_str(),
            },
            "repository": {
                "comment_count": 0,
                "date_created": 1_600_000_000,
                "description": "",
                "dockerfile": "",
                "full_description": null,
                "is_official": namespace == "library",
                "is_private": true,
                "is_trusted": false,
                "name": name,
                "namespace": namespace,
                "owner": namespace,
                "repo_name": repository,
                "repo_url": format!("https://hub.docker.com/r/{repository}"),
                "star_count": 0,
                "status": "Active",
            },
        })))
    }
}
