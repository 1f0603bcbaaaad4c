//! Which image a push is of: from the event's data, else from its subject and its source.

use serde_json::Value;

use crate::adapters::senders::cloud_events::ecr;
use crate::adapters::senders::cloud_events::envelope::Event;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::names::registry as parse_registry;
use crate::adapters::senders::names::split_host;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::quote::quoted;
use crate::domain::delivery::Delivery;
use crate::domain::reference::Registry;
use crate::domain::reference::split_name;
use crate::ports::payload_decoder::DecodeError;

/// The query parameter by which an operator names the registry of a sender that does not.
const OVERRIDE: &str = "registry_url";

/// The names that data gives its parts, the first that is there counts.
struct Keys {
    repository: &'static [&'static str],
    tag: &'static [&'static str],
    digest: &'static [&'static str],
}

const KEYS: Keys = Keys {
    repository: &["repositoryName", "repository-name", "repository"],
    tag: &["imageTag", "image-tag", "tag"],
    digest: &["imageDigest", "image-digest", "digest"],
};

/// The [zot registry](https://zotregistry.dev) has names of its own.
const ZOT_KEYS: Keys = Keys {
    repository: &["name"],
    tag: &["reference"],
    digest: &["digest"],
};

/// Adds the push that an event announces.
pub(super) fn read(
    event: &Event,
    delivery: &Delivery,
    pushes: &mut Pushes,
) -> Result<(), DecodeError> {
    let keys = if is_zot(event) { &ZOT_KEYS } else { &KEYS };
    let told = |keys: &[&str]| first(&event.data, keys);
    let subject = Subject::parse(&event.subject);
    let source = ecr::Source::parse(&event.source);
    let name = told(keys.repository)
        .or(|| subject.repository.clone())
        .or(|| {
            Text::from(
                source
                    .and_then(|source| source.repository)
                    .unwrap_or_default(),
            )
        });
    let name = name.get().ok_or_else(|| missing("data.repositoryName"))?;
    let registry = match source {
        Some(source) => ecr_registry(source, &event.data)?,
        None => other_registry(event, delivery)?,
    };
    pushes.add(
        image(registry, "data.repositoryName", name)?,
        told(keys.tag).or(|| subject.tag.clone()).get(),
        told(keys.digest).or(|| subject.digest.clone()).get(),
    );
    Ok(())
}

fn is_zot(event: &Event) -> bool {
    event.kind.starts_with("zotregistry.")
}

fn first<'a>(data: &'a Value, keys: &[&str]) -> Text<'a> {
    let texts = keys.iter().map(|key| Text::of(data, key));
    texts.fold(Text::default(), |found, text| found.or(|| text))
}

/// A subject of the form `repository[:tag][@digest]`.
#[derive(Default)]
struct Subject<'a> {
    repository: Text<'a>,
    tag: Text<'a>,
    digest: Text<'a>,
}

impl<'a> Subject<'a> {
    fn parse(text: &'a str) -> Self {
        let (rest, digest) = text.split_once('@').unwrap_or((text, ""));
        let (repository, tag) = split_name(rest);
        Self {
            repository: Text::from(repository),
            tag: Text::from(tag.unwrap_or_default()),
            digest: Text::from(digest),
        }
    }
}

/// The registry's id in the data goes before the account in the source: that one may be the account of the event.
fn ecr_registry(source: ecr::Source<'_>, data: &Value) -> Result<Registry, DecodeError> {
    let id = first(data, &["registryId", "registry-id"]);
    let account = id.get().or(source.account);
    ecr::registry_of(source, account.ok_or_else(|| missing("data.registryId"))?)
}

fn other_registry(event: &Event, delivery: &Delivery) -> Result<Registry, DecodeError> {
    if let Some(url) = delivery.query(OVERRIDE).filter(|url| !url.is_empty()) {
        return parse_registry("the query parameter registry_url", url);
    }
    let source = event.source.as_str();
    if ecr::is_type(&event.kind) {
        let source = quoted(source);
        return Err(DecodeError(format!(
            "source: {source} is not urn:aws:ecr:<region>:<account>:repository/<name>"
        )));
    }
    if let Some(url) = first(&event.data, &["registryUrl", "registry"]).get() {
        return parse_registry("data.registryUrl", url);
    }
    let host = host(source).filter(|_| !is_zot(event));
    let host = host.ok_or_else(|| {
        DecodeError(format!(
            "the payload has no data.registryUrl, and its source names no host: add {OVERRIDE}=<host> to the webhook's URL"
        ))
    })?;
    parse_registry("source", host)
}

/// The host of a URL, or of a path that begins with a host.
fn host(source: &str) -> Option<&str> {
    let (host, _) = split_host(source);
    let is_url = source.starts_with("http://") || source.starts_with("https://");
    (is_url || host.contains('.')).then_some(host)
}
