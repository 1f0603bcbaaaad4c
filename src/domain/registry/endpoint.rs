//! Registries as the operator describes them, and which of them has an image.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::reference::ImageName;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::credential_source::CredentialSource;
use crate::domain::registry::default_registry::DefaultRegistry;

/// Where and how a registry is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, for people.
    pub name: String,
    /// The address of its API without a slash at the end, such as `https://registry-1.docker.io`.
    pub api: String,
    /// The beginning of the names of its images: a host, optionally with a path. Empty: every image that no other has.
    pub prefix: String,
    /// Where its credentials are.
    pub credentials: Option<CredentialSource>,
    /// How long they are good for; `None`: until the registry refuses them.
    pub credentials_expire: Option<Duration>,
    /// What the order of its lists of tags means.
    pub order: TagOrder,
    /// How its certificate is checked.
    pub trust: Trust,
    /// What is put before names of one component.
    pub default_namespace: Option<String>,
    /// How many requests it gets in a second; `None`: as many as there are.
    pub limit: Option<NonZeroU32>,
    /// Whether names without a registry are its images.
    pub is_default: bool,
}

/// How a registry's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Not at all.
    Anything,
    /// By the authorities that the system trusts, and these.
    Authorities {
        /// A file with certificates in PEM.
        file: Option<PathBuf>,
        /// Certificates in PEM.
        data: Option<String>,
    },
}

/// All registries that are described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registries {
    endpoints: Vec<Endpoint>,
}

/// The limit of a registry that nobody described, in requests a second.
const INFERRED_LIMIT: NonZeroU32 = NonZeroU32::new(20).expect("20 is not 0");
/// That of Docker Hub.
const DOCKER_HUB_LIMIT: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

impl Default for Registries {
    /// Docker Hub, which everybody knows.
    fn default() -> Self {
        Self {
            endpoints: vec![Endpoint::docker_hub()],
        }
    }
}

impl Registries {
    /// The ones described, and Docker Hub where none of them is. Where none is said to be the default, Docker Hub is, however it is described.
    #[must_use]
    pub fn of(described: Vec<Endpoint>) -> Self {
        let mut endpoints = described;
        let docker_hub = Endpoint::docker_hub();
        let is_docker_hub = |endpoint: &Endpoint| endpoint.prefix == docker_hub.prefix;
        let has_default = endpoints.iter().any(|endpoint| endpoint.is_default);
        match endpoints
            .iter_mut()
            .find(|endpoint| is_docker_hub(endpoint))
        {
            Some(described) => described.is_default |= !has_default,
            None => endpoints.push(Endpoint {
                is_default: !has_default,
                ..docker_hub
            }),
        }
        Self { endpoints }
    }

    /// The registry that has names without a registry.
    #[must_use]
    pub fn default_registry(&self) -> DefaultRegistry {
        let default = self.endpoints.iter().find(|endpoint| endpoint.is_default);
        default.map_or_else(DefaultRegistry::default, DefaultRegistry::of)
    }

    /// The registry that has an image: of those whose prefix is the beginning of its name, at the end of a component, the one with the longest;
    /// else one that nobody described.
    #[must_use]
    pub fn endpoint_of(&self, image: &ImageName) -> Endpoint {
        let name = image.to_string();
        let owns = |endpoint: &&Endpoint| {
            name.strip_prefix(&endpoint.prefix)
                .is_some_and(|rest| endpoint.prefix.is_empty() || rest.starts_with('/'))
        };
        let described = self.endpoints.iter().filter(owns);
        described
            .max_by_key(|endpoint| endpoint.prefix.len())
            .cloned()
            .unwrap_or_else(|| Endpoint::inferred(image))
    }

    /// All that are described, Docker Hub among them.
    #[must_use]
    pub fn all(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

impl Endpoint {
    fn docker_hub() -> Self {
        Self {
            name: "Docker Hub".to_owned(),
            api: "https://registry-1.docker.io".to_owned(),
            prefix: "docker.io".to_owned(),
            default_namespace: Some("library".to_owned()),
            limit: Some(DOCKER_HUB_LIMIT),
            is_default: true,
            ..Self::bare()
        }
    }

    /// The host of its API, with its port if it has one.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, rest) = self.api.split_once("://").unwrap_or(("", &self.api));
        rest.split('/').next().unwrap_or_default()
    }

    /// The registry that the name of an image says it is in.
    fn inferred(image: &ImageName) -> Self {
        let host = image.registry().as_str();
        Self {
            name: host.to_owned(),
            api: format!("https://{host}"),
            prefix: host.to_owned(),
            limit: Some(INFERRED_LIMIT),
            ..Self::bare()
        }
    }

    /// An endpoint of which nothing is said yet.
    #[must_use]
    pub fn bare() -> Self {
        Self {
            name: String::new(),
            api: String::new(),
            prefix: String::new(),
            credentials: None,
            credentials_expire: None,
            order: TagOrder::Unsorted,
            trust: Trust::Authorities {
                file: None,
                data: None,
            },
            default_namespace: None,
            limit: None,
            is_default: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(prefix: &str, is_default: bool) -> Endpoint {
        Endpoint {
            name: prefix.to_owned(),
            api: format!("https://api.{prefix}"),
            prefix: prefix.to_owned(),
            is_default,
            ..Endpoint::bare()
        }
    }

    fn owner(registries: &Registries, image: &str) -> String {
        let endpoint = registries.endpoint_of(&ImageName::parse(image).unwrap());
        format!("{} {}", endpoint.name, endpoint.api)
    }

    #[test]
    fn the_longest_prefix_that_ends_with_a_component_has_an_image() {
        let registries = Registries::of(vec![
            described("quay.io", false),
            described("quay.io/acme", false),
        ]);
        for (image, expected) in [
            ("quay.io/acme/web", "quay.io/acme https://api.quay.io/acme"),
            ("quay.io/acmecorp/web", "quay.io https://api.quay.io"),
            (
                "quay.io.example/x",
                "quay.io.example https://quay.io.example",
            ),
            ("nginx", "Docker Hub https://registry-1.docker.io"),
            ("localhost:5000/x", "localhost:5000 https://localhost:5000"),
        ] {
            assert_eq!(owner(&registries, image), expected, "{image}");
        }
        let rest = Registries::of(vec![described("", false)]);
        assert_eq!(owner(&rest, "ghcr.io/a/b"), " https://api.");
    }

    #[test]
    fn docker_hub_is_the_default_where_no_other_is() {
        let defaults = |registries: &Registries| -> Vec<String> {
            let all = registries.all().iter();
            all.filter(|endpoint| endpoint.is_default)
                .map(|endpoint| endpoint.prefix.clone())
                .collect()
        };
        assert_eq!(defaults(&Registries::default()), ["docker.io"]);
        let other = Registries::of(vec![described("harbor.example.com", true)]);
        assert_eq!(defaults(&other), ["harbor.example.com"]);
        assert_eq!(other.all().len(), 2);
        let described_alone = Registries::of(vec![described("docker.io", false)]);
        assert_eq!(defaults(&described_alone), ["docker.io"]);
        assert_eq!(
            owner(&described_alone, "nginx"),
            "docker.io https://api.docker.io"
        );
        let beside = Registries::of(vec![
            described("docker.io", false),
            described("harbor.example.com", true),
        ]);
        assert_eq!(defaults(&beside), ["harbor.example.com"]);
    }

    #[test]
    fn an_endpoint_knows_its_host() {
        for (api, host) in [
            ("https://registry-1.docker.io", "registry-1.docker.io"),
            ("http://localhost:5000", "localhost:5000"),
            ("https://acme.example:8443/api/docker", "acme.example:8443"),
        ] {
            let api = api.to_owned();
            let endpoint = Endpoint {
                api,
                ..Endpoint::bare()
            };
            assert_eq!(endpoint.host(), host);
        }
    }
}
