//! The registry that has names without a registry.

use crate::domain::reference::ImageName;
use crate::domain::reference::Registry;
use crate::domain::reference::Repository;
use crate::domain::reference::names_registry;
use crate::domain::registry::endpoint::Endpoint;

/// The registry that has names without a registry. By itself that is Docker Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRegistry {
    registry: Registry,
    /// What is put before names of one component.
    namespace: Option<String>,
}

impl Default for DefaultRegistry {
    fn default() -> Self {
        Self {
            registry: Registry::docker_hub(),
            namespace: None,
        }
    }
}

impl DefaultRegistry {
    /// The registry behind an endpoint. Its name is what its prefix begins with, or the host of its API where it has no prefix; it is Docker Hub
    /// where neither names a registry.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        let prefix = endpoint.prefix.split('/').next().unwrap_or_default();
        let host = if prefix.is_empty() {
            endpoint.host()
        } else {
            prefix
        };
        Registry::parse(host).map_or_else(
            |_| Self::default(),
            |registry| Self {
                registry,
                namespace: endpoint.default_namespace.clone(),
            },
        )
    }

    /// Whether it is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.registry.is_docker_hub()
    }

    /// Which image a name means that somebody wrote so. `name` is what it means where Docker Hub is the default.
    #[must_use]
    pub fn resolve(&self, name: &ImageName, spelling: &str) -> ImageName {
        if self.is_docker_hub() || names_registry(spelling) {
            return name.clone();
        }
        let path = spelling.trim();
        let path = match &self.namespace {
            Some(namespace) if !path.contains('/') => format!("{namespace}/{path}"),
            Some(_) | None => path.to_owned(),
        };
        // What is a name below Docker Hub is one below any registry, save for one that the namespace makes too long.
        Repository::parse(&path).map_or_else(
            |_| name.clone(),
            |repository| ImageName::new(self.registry.clone(), repository),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn default_of(prefix: &str, api: &str, namespace: Option<&str>) -> DefaultRegistry {
        DefaultRegistry::of(&Endpoint {
            api: api.to_owned(),
            prefix: prefix.to_owned(),
            default_namespace: namespace.map(str::to_owned),
            ..Endpoint::bare()
        })
    }

    fn resolved(default: &DefaultRegistry, spelling: &str) -> String {
        let name = ImageName::parse(spelling).unwrap();
        default.resolve(&name, spelling).to_string()
    }

    #[test]
    fn a_bare_name_is_the_default_registrys() {
        let harbor = default_of("harbor.acme.example", "https://x.example", Some("library"));
        for (spelling, expected) in [
            ("nginx", "harbor.acme.example/library/nginx"),
            ("library/nginx", "harbor.acme.example/library/nginx"),
            ("team/web", "harbor.acme.example/team/web"),
            ("docker.io/nginx", "docker.io/library/nginx"),
            ("ghcr.io/acme/web", "ghcr.io/acme/web"),
            ("localhost/web", "localhost/web"),
        ] {
            assert_eq!(resolved(&harbor, spelling), expected, "{spelling}");
        }
        let plain = default_of("", "https://registry.acme.example:5000/api", None);
        assert_eq!(
            resolved(&plain, "nginx"),
            "registry.acme.example:5000/nginx"
        );
    }

    #[test]
    fn docker_hub_is_the_default_by_itself() {
        for default in [
            DefaultRegistry::default(),
            default_of("docker.io", "https://mirror.example", Some("library")),
            default_of("", "https://registry-1.docker.io", Some("library")),
        ] {
            assert_eq!(resolved(&default, "nginx"), "docker.io/library/nginx");
            assert_eq!(resolved(&default, "a/b"), "docker.io/a/b");
        }
    }

    proptest! {
        #[test]
        fn resolving_never_panics(spelling in "\\PC{0,40}", namespace in proptest::option::of("\\PC{0,10}")) {
            let default = default_of("harbor.acme.example", "", namespace.as_deref());
            if let Ok(name) = ImageName::parse(&spelling) {
                let resolved = default.resolve(&name, &spelling);
                prop_assert_eq!(resolved.registry() == name.registry(), names_registry(&spelling) || resolved == name);
            }
        }
    }
}
