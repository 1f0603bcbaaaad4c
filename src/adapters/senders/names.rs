//! From the texts of a payload to the name of an image.

use crate::adapters::senders::json::Text;
use crate::domain::delivery::Delivery;
use crate::domain::reference::ImageName;
use crate::domain::reference::Registry;
use crate::domain::reference::Repository;
use crate::ports::payload_decoder::DecodeError;

/// What says that a payload lacks a part that it must have.
pub(super) fn missing(field: &str) -> DecodeError {
    DecodeError(format!("the payload has no {field}"))
}

/// The registry in a host or a URL: scheme and path are left out. `field` says where the text was found.
pub(super) fn registry(field: &str, url: &str) -> Result<Registry, DecodeError> {
    let (host, _) = split_host(url);
    Registry::parse(host).map_err(|error| DecodeError(format!("{field}: {error}")))
}

/// The query parameter in which an operator names the registry's host, where a sender does not know it.
pub(super) const REGISTRY_URL: &str = "registry_url";

/// The registry that the webhook's URL names, if it names one.
pub(super) fn chosen_registry(delivery: &Delivery) -> Result<Option<Registry>, DecodeError> {
    let url = delivery.query(REGISTRY_URL).filter(|url| !url.is_empty());
    url.map(|url| registry("the query parameter registry_url", url))
        .transpose()
}

/// A host or a URL as its host, with the port, and its path.
pub(super) fn split_host(url: &str) -> (&str, Option<&str>) {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    match bare.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (bare, None),
    }
}

/// An image of a registry. `field` says where the repository was found.
pub(super) fn image(
    registry: Registry,
    field: &str,
    repository: &str,
) -> Result<ImageName, DecodeError> {
    let repository =
        Repository::parse(repository).map_err(|error| DecodeError(format!("{field}: {error}")))?;
    Ok(ImageName::new(registry, repository))
}

/// A repository that is given whole, else by namespace and name, else by the name alone.
pub(super) fn full_name(whole: &Text, namespace: &Text, name: &Text) -> Option<String> {
    match (whole.get(), namespace.get(), name.get()) {
        (Some(whole), _, _) => Some(whole.to_owned()),
        (None, Some(namespace), Some(name)) => Some(format!("{namespace}/{name}")),
        (None, None, Some(name)) => Some(name.to_owned()),
        (None, _, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_found_in_hosts_and_urls() {
        for (url, host) in [
            ("quay.io/acme/web", "quay.io"),
            (
                "https://Harbor.Acme.Example:8443/v2/",
                "harbor.acme.example:8443",
            ),
            ("http://localhost:5000", "localhost:5000"),
            ("ghcr.io", "ghcr.io"),
        ] {
            assert_eq!(registry("url", url).unwrap().as_str(), host, "{url}");
        }
        for bad in ["", "https://", "/acme/web", "user:secret@host/x"] {
            let message = registry("docker_url", bad).unwrap_err().0;
            assert!(message.starts_with("docker_url: "), "{message}");
        }
    }

    #[test]
    fn the_whole_name_goes_before_its_parts() {
        let full = |whole: &str, namespace: &str, name: &str| {
            full_name(&whole.into(), &namespace.into(), &name.into())
        };
        assert_eq!(full("a/b", "c", "d").as_deref(), Some("a/b"));
        assert_eq!(full("", "c", "d").as_deref(), Some("c/d"));
        assert_eq!(full("", "", "d").as_deref(), Some("d"));
        assert_eq!(full("", "c", ""), None);
    }
}
