//! GitHub's container registry.
//!
//! GitHub announces a version of a package by the events `package` and `registry_package`, which have the same shape. A version's name is
//! its digest; the tag is in its container metadata. A push of a multi-platform image is one event for each platform's manifest, without
//! a tag, and one for the index. Packages of other ecosystems (npm, Maven, …) come by the same events.

mod made_up;
mod payload;

use std::borrow::Cow;

use crate::adapters::senders::json::parse_object;
use crate::adapters::senders::media_type::no_image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::pushes::is_digest;
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

use self::payload::Package;
use self::payload::Payload;
use self::payload::Version;

/// The webhooks of a GitHub repository or organization.
pub(super) struct Ghcr;

static PROFILE: SenderProfile = SenderProfile {
    name: "ghcr.io",
    secret_name: "ghcr",
    title: "GitHub Container Registry",
    authentication: Authentication::HubSignature256,
    documentation: "https://docs.github.com/en/webhooks/webhook-events-and-payloads#package",
};

impl PayloadDecoder for Ghcr {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let json = json(delivery)?;
        let payload: Payload = parse_object(&json)?;
        if let Some(reason) = no_package_event(delivery, &payload) {
            return Ok(Decoded::Ignored(reason));
        }
        let package = payload.package.or(payload.registry_package);
        let package = package.ok_or_else(|| missing("package or registry_package"))?;
        let action = payload.action.get().ok_or_else(|| missing("action"))?;
        if !matches!(action, "published" | "updated") {
            let action = quoted(action);
            return Ok(Decoded::Ignored(format!(
                "the action {action} is no push of an image"
            )));
        }
        published(package)
    }

    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey> {
        delivery
            .header("x-github-delivery")
            .and_then(SenderKey::parse)
    }

    /// GitHub names a digest in every delivery. Where the event has none, the delivery's is the hash of what the event names.
    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        made_up::delivery(event)
    }
}

/// The JSON of a delivery, which GitHub can be told to send in the field `payload` of a form. The body tells which: curl and other tools
/// call whatever they post a form, and a body without content type may be one.
fn json(delivery: &Delivery) -> Result<Cow<'_, [u8]>, DecodeError> {
    let told = delivery
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let object = delivery.body.trim_ascii_start().starts_with(b"{");
    if object || !told && !delivery.body.starts_with(b"payload=") {
        return Ok(Cow::Borrowed(&delivery.body));
    }
    form_urlencoded::parse(&delivery.body)
        .find(|(name, _)| name == "payload")
        .map(|(_, value)| Cow::Owned(value.into_owned().into_bytes()))
        .ok_or_else(|| DecodeError("the form has no field payload".to_owned()))
}

/// Why an event is none of a package. GitHub tells the event in a header; without it the shape of a ping tells.
fn no_package_event(delivery: &Delivery, payload: &Payload) -> Option<String> {
    match delivery.header("x-github-event") {
        Some("package" | "registry_package") => None,
        Some("ping") => Some("it is a ping".to_owned()),
        Some(other) => Some(format!("the event {} is none of a package", quoted(other))),
        None => payload.is_ping().then(|| "it is a ping".to_owned()),
    }
}

fn published(package: Package) -> Result<Decoded, DecodeError> {
    let kind = package
        .kind()
        .ok_or_else(|| missing("package.package_type"))?;
    let mut pushes = Pushes::default();
    if !kind.eq_ignore_ascii_case("container") && !kind.eq_ignore_ascii_case("docker") {
        let kind = quoted(kind);
        pushes.leave_out(format!(
            "a package of the type {kind} is no container image"
        ));
        return pushes.decoded();
    }
    let name = name(&package)?;
    let version = package
        .version
        .ok_or_else(|| missing("package.package_version"))?;
    match version.media_types().find_map(no_image) {
        Some(reason) => pushes.leave_out(reason),
        None => pushes.add(name, tag(&version), digest(&version)),
    }
    pushes.decoded()
}

/// Owner and name. Both may have capitals, which no image has, and the name may have slashes.
fn name(package: &Package) -> Result<ImageName, DecodeError> {
    let owner = package
        .owner()
        .ok_or_else(|| missing("package.owner.login"))?;
    let name = package.name.get().ok_or_else(|| missing("package.name"))?;
    ImageName::parse(&format!("{}/{owner}/{name}", PROFILE.name))
        .map_err(|error| DecodeError(format!("package.name: {error}")))
}

fn tag<'a>(version: &'a Version<'_>) -> Option<&'a str> {
    let named = [version.tag(), version.name.get(), version.id.get()];
    named.into_iter().flatten().find(|text| !is_digest(text))
}

fn digest<'a>(version: &'a Version<'_>) -> Option<&'a str> {
    let named = [version.name.get(), version.id.get()];
    let named = named.into_iter().flatten().find(|text| is_digest(text));
    version.digest().or(named)
}
