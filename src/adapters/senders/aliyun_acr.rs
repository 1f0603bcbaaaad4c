//! Aliyun Container Registry, in the Personal and the Enterprise Edition.
//!
//! The payload names no host. It is that of the Personal Edition in the payload's region, unless the query parameter `registry_url`, which
//! the operator writes into the webhook's URL, says otherwise.

use serde::Deserialize;
use serde_json::json;

use crate::adapters::senders::compose;
use crate::adapters::senders::fresh;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::names::REGISTRY_URL;
use crate::adapters::senders::names::chosen_registry;
use crate::adapters::senders::names::full_name;
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

/// The triggers of Aliyun's registry.
pub(super) struct AliyunAcr;

static PROFILE: SenderProfile = SenderProfile {
    name: "aliyun-acr",
    secret_name: "aliyun-acr",
    title: "Aliyun ACR",
    authentication: Authentication::QuerySecret,
    documentation: "https://www.alibabacloud.com/help/en/acr/user-guide/manage-webhooks",
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
    digest: Text<'a>,
    tag: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Repository<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    namespace: Text<'a>,
    region: Text<'a>,
    repo_full_name: Text<'a>,
}

impl PayloadDecoder for AliyunAcr {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let payload: Payload = parse_object(&delivery.body)?;
        let push = payload.push_data.ok_or_else(|| missing("push_data"))?;
        let repository = payload.repository.ok_or_else(|| missing("repository"))?;
        let name = full_name(
            &repository.repo_full_name,
            &repository.namespace,
            &repository.name,
        )
        .ok_or_else(|| missing("repository.repo_full_name"))?;
        let registry = host(delivery, repository.region.get())?;
        let image = image(registry, "repository.repo_full_name", &name)?;
        let mut pushes = Pushes::default();
        pushes.add(image, push.tag.get(), push.digest.get());
        pushes.decoded()
    }

    /// It has none.
    fn sender_key(&self, _: &Delivery) -> Option<SenderKey> {
        None
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        let host = event.image.registry().as_str();
        let region = personal_region(host);
        let (namespace, name) = compose::namespace_and_name(event);
        let now = fresh::time().replace('T', " ").replace('Z', "");
        let mut composed = compose::json(&json!({
            "push_data": {
                "digest": compose::digest(event),
                "pushed_at": now,
                "tag": event.tag.as_str(),
            },
            "repository": {
                "date_created": now,
                "name": name,
                "namespace": namespace,
                "region": region.unwrap_or("cn-hangzhou"),
                "repo_authentication_type": "NO_CERTIFIED",
                "repo_full_name": event.image.repository().as_str(),
                "repo_origin_type": "NO_CERTIFIED",
                "repo_type": "PRIVATE",
            },
        }));
        if region.is_none() {
            composed.query = vec![(REGISTRY_URL.to_owned(), host.to_owned())];
        }
        Ok(composed)
    }
}

fn host(delivery: &Delivery, region: Option<&str>) -> Result<Registry, DecodeError> {
    if let Some(chosen) = chosen_registry(delivery)? {
        return Ok(chosen);
    }
    let region = region.ok_or_else(|| {
        DecodeError(format!(
            "the payload has no repository.region: add {REGISTRY_URL}=<host> to the webhook's URL"
        ))
    })?;
    let host = personal_host(region);
    if personal_region(&host) != Some(region) {
        let region = quoted(region);
        return Err(DecodeError(format!(
            "repository.region: {region} is no region"
        )));
    }
    registry("repository.region", &host)
}

fn personal_host(region: &str) -> String {
    format!("registry.{region}.aliyuncs.com")
}

/// The region of a host of the Personal Edition.
fn personal_region(host: &str) -> Option<&str> {
    let region = host.strip_prefix("registry.")?;
    let region = region.strip_suffix(".aliyuncs.com")?;
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    region.bytes().all(is_word).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_personal_edition_has_a_host_that_the_region_tells() {
        let region = |host| personal_region(host);
        assert_eq!(
            region("registry.cn-hangzhou.aliyuncs.com"),
            Some("cn-hangzhou")
        );
        assert_eq!(region("acme-registry.cn-hangzhou.cr.aliyuncs.com"), None);
        assert_eq!(region("registry-vpc.cn-hangzhou.aliyuncs.com"), None);
        assert_eq!(region("registry.cn-hangzhou.cr.aliyuncs.com"), None);
    }
}
