//! The keys of a Docker configuration: which registries each stands for.

use crate::domain::policy::glob::Glob;
use crate::domain::reference::Registry;

/// A registry, or a part of it, as people name it in a Docker configuration: `ghcr.io`, `https://index.docker.io/v1/`, `quay.io/acme`,
/// `*.azurecr.io`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryKey {
    /// Lower-case. All of Docker Hub's names are one.
    host: String,
    /// The components of its path.
    path: Vec<String>,
}

/// How well a key fits a registry. The greatest fits best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// Whether it names the host without wildcards.
    is_exact: bool,
    /// How many components of its path it names.
    depth: usize,
}

impl RegistryKey {
    /// Reads a key, or the name of a registry.
    pub(super) fn parse(text: &str) -> Self {
        let bare = text.trim();
        let bare = bare
            .strip_prefix("https://")
            .or_else(|| bare.strip_prefix("http://"))
            .unwrap_or(bare);
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        let path: Vec<String> = path
            .split('/')
            .filter(|component| !component.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        // The version of the API belongs to no name.
        let is_version = matches!(path.as_slice(), [one] if one == "v1" || one == "v2");
        Self {
            host: Registry::parse(host).map_or_else(
                |_| host.to_ascii_lowercase(),
                |registry| registry.as_str().to_owned(),
            ),
            path: if is_version { Vec::new() } else { path },
        }
    }

    /// How well this key fits a registry; `None` where it stands for another.
    pub(super) fn fit(&self, registry: &Self) -> Option<Fit> {
        let is_exact = self.host == registry.host;
        let is_below = registry.path.starts_with(&self.path);
        let fits = is_below && (is_exact || self.matches(&registry.host));
        fits.then_some(Fit {
            is_exact,
            depth: self.path.len(),
        })
    }

    /// Whether its host fits by wildcards, as the kubelet has them: each stands for a part of one label.
    fn matches(&self, host: &str) -> bool {
        if !self.host.contains(['*', '?', '[']) {
            return false;
        }
        let (patterns, labels) = (self.host.split('.'), host.split('.'));
        patterns.clone().count() == labels.clone().count()
            && patterns.zip(labels).all(|(pattern, label)| {
                Glob::parse(pattern).is_ok_and(|pattern| pattern.matches(label))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(key: &str, registry: &str) -> Option<Fit> {
        RegistryKey::parse(key).fit(&RegistryKey::parse(registry))
    }

    #[test]
    fn a_key_is_spelled_in_many_ways() {
        for (key, registry) in [
            ("ghcr.io", "ghcr.io"),
            ("https://ghcr.io", "ghcr.io"),
            ("http://GHCR.io/", "ghcr.io"),
            ("ghcr.io/v2/", "ghcr.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("https://index.docker.io/v1/", "registry-1.docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("docker.io", "docker.io/library/nginx"),
            ("localhost:5000", "localhost:5000"),
            ("quay.io/acme", "quay.io/acme/web"),
            ("quay.io/Acme/", "quay.io/acme"),
            ("*.azurecr.io", "acme.azurecr.io"),
            (
                "*.dkr.ecr.*.amazonaws.com",
                "1.dkr.ecr.eu-west-1.amazonaws.com",
            ),
            ("acme-*.example.com/team", "acme-dev.example.com/team/web"),
        ] {
            assert!(fit(key, registry).is_some(), "{key} {registry}");
        }
        for (key, registry) in [
            ("ghcr.io", "ghcr.io.example"),
            ("ghcr.io", "xghcr.io"),
            ("localhost", "localhost:5000"),
            ("localhost:5000", "localhost"),
            ("quay.io/acme", "quay.io/acmecorp"),
            ("quay.io/acme", "quay.io"),
            ("*.azurecr.io", "a.b.azurecr.io"),
            ("*.azurecr.io", "azurecr.io"),
            ("[.azurecr.io", "acme.azurecr.io"),
            ("", "ghcr.io"),
        ] {
            assert_eq!(fit(key, registry), None, "{key} {registry}");
        }
    }

    #[test]
    fn the_longest_path_fits_best_and_a_wildcard_worst() {
        let registry = "quay.io/acme/web";
        let order = ["*.io/acme/web", "quay.io", "quay.io/acme", registry];
        let fits: Vec<_> = order
            .iter()
            .map(|key| fit(key, registry).unwrap())
            .collect();
        assert!(fits.is_sorted(), "{fits:?}");
    }
}
