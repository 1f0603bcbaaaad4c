//! One entry, read to its end, so that everything that is wrong with it is said at once.

use std::num::NonZeroU32;
use std::path::PathBuf;

use http::Uri;

use crate::adapters::registries_conf::authorities;
use crate::adapters::registries_conf::member;
use crate::adapters::registries_conf::member::KEYS;
use crate::adapters::registries_conf::prefix;
use crate::adapters::registries_conf::value::Members;
use crate::domain::reference::Registry;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::credential_source::CredentialSource;
use crate::domain::registry::endpoint::Endpoint;
use crate::domain::registry::endpoint::Trust;

/// Reads an entry. Where there are mistakes, what is wrong is left empty.
pub(super) fn read(members: &mut Members<'_>) -> Endpoint {
    for key in members.keys() {
        if !KEYS.contains(&key) {
            members.wrong(key, member::unknown(key));
        }
    }
    let name = name(members);
    let api = api(members);
    let endpoint = Endpoint {
        name,
        prefix: prefix(members, &api),
        api,
        credentials: credentials(members),
        credentials_expire: members.duration("credsexpire"),
        order: order(members),
        trust: trust(members),
        default_namespace: members.text("defaultns").map(str::to_owned),
        limit: limit(members),
        is_default: members.flag("default"),
    };
    // It is checked, and means nothing in the Go program either.
    members.flag("ping");
    if endpoint.is_default && endpoint.prefix.contains('/') {
        let request = "true is for a registry whose prefix is a host alone: names without a registry have no path to tell it by";
        members.wrong("default", request);
    }
    endpoint
}

fn name(members: &mut Members<'_>) -> String {
    let Some(name) = members.text("name") else {
        missing(members, "name", "a name for people, such as Docker Hub");
        return String::new();
    };
    name.to_owned()
}

fn api(members: &mut Members<'_>) -> String {
    let Some(text) = members.text("api_url") else {
        missing(
            members,
            "api_url",
            "the address of its API, such as https://ghcr.io",
        );
        return String::new();
    };
    let text = text.trim_end_matches('/');
    if !is_api(text) {
        let request = "must be https:// or http://, a host, and behind it a port and a path if it has them; credentials go into credentials";
        members.wrong("api_url", request);
        return String::new();
    }
    text.to_owned()
}

fn is_api(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
    let is_plain = uri.query().is_none() && !text.contains(['@', '#', ' ']);
    is_web && is_plain && uri.host().is_some_and(|host| !host.is_empty())
}

fn prefix(members: &mut Members<'_>, api: &str) -> String {
    let Some(text) = members.text("prefix") else {
        return prefix_of_api(api);
    };
    match prefix::parse(text) {
        Ok(prefix) => {
            if !prefix::can_begin_names(&prefix) {
                let warning = format!(
                    "no image has a name that begins with {prefix}/: the host of a registry has a dot or a port"
                );
                members.warn("prefix", warning);
            }
            prefix
        }
        Err(reason) => {
            members.wrong("prefix", reason);
            String::new()
        }
    }
}

/// The prefix of an entry without one. Docker Hub stays Docker Hub.
fn prefix_of_api(api: &str) -> String {
    let host = Endpoint {
        api: api.to_owned(),
        ..Endpoint::bare()
    };
    let registry = Registry::parse(host.host()).ok();
    let docker_hub = registry.filter(Registry::is_docker_hub);
    docker_hub.map_or_else(String::new, |registry| registry.to_string())
}

fn credentials(members: &mut Members<'_>) -> Option<CredentialSource> {
    let source = CredentialSource::parse(members.text("credentials")?);
    source
        .map_err(|error| members.wrong("credentials", error.to_string()))
        .ok()
}

fn order(members: &mut Members<'_>) -> TagOrder {
    let Some(text) = members.text("tagsortmode") else {
        return TagOrder::Unsorted;
    };
    let order = match text.to_ascii_lowercase().as_str() {
        "latest-first" => TagOrder::LatestFirst,
        "latest-last" => TagOrder::LatestLast,
        "none" => return TagOrder::Unsorted,
        _ => {
            let request = format!("{text:?} is none: give latest-first, latest-last or none");
            members.wrong("tagsortmode", request);
            return TagOrder::Unsorted;
        }
    };
    let warning = "with a tagsortmode the order of the registry's list counts as the age of the tags, and no image is asked when it was built";
    members.warn("tagsortmode", warning);
    order
}

fn trust(members: &mut Members<'_>) -> Trust {
    let is_insecure = members.flag("insecure");
    let file = members.text("ca_file").map(PathBuf::from);
    let data = members.text("ca_data").map(str::to_owned);
    if let Some(file) = &file
        && !file.is_absolute()
    {
        members.wrong("ca_file", "must be an absolute path");
    }
    if let Some(Err(reason)) = data.as_deref().map(authorities::check) {
        members.wrong("ca_data", reason);
    }
    if !is_insecure {
        return Trust::Authorities { file, data };
    }
    let unused = if file.is_some() || data.is_some() {
        ", and its authorities are not used"
    } else {
        ""
    };
    let warning = format!(
        "true lets anybody in between read and change what is pulled: its certificate is not checked{unused}"
    );
    members.warn("insecure", warning);
    Trust::Anything
}

/// Requests a second. As in the Go program, what is not above 0 is no limit.
fn limit(members: &mut Members<'_>) -> Option<NonZeroU32> {
    let limit = members.integer("limit")?.max(0);
    NonZeroU32::new(u32::try_from(limit).unwrap_or(u32::MAX))
}

/// Says that a member is missing, unless it is there and wrong.
fn missing(members: &mut Members<'_>, key: &str, request: &str) {
    if !members.is_wrong(key) {
        members.wrong(key, format!("is missing: give {request}"));
    }
}
