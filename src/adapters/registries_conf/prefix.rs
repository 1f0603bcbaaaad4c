//! The beginning of the names of a registry's images.

use crate::domain::reference::Registry;
use crate::domain::reference::Repository;

/// A prefix as names of images begin in the domain: the host of the registry, all of Docker Hub's being one, and behind it a path if there
/// is one.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let bare = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text)
        .trim_end_matches('/');
    let (host, path) = match bare.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (bare, None),
    };
    let request = "give the host of the registry as names of images begin, such as ghcr.io or registry.example.com:5000, and behind it a path if it has only the images there";
    let wrong = |error: &dyn std::fmt::Display| format!("{error}; {request}");
    let registry = Registry::parse(host).map_err(|error| wrong(&error))?;
    let path = path.map(Repository::parse).transpose();
    let path = path.map_err(|error| wrong(&error))?;
    Ok(match path {
        Some(path) => format!("{registry}/{path}"),
        None => registry.to_string(),
    })
}

/// Whether names of images can begin so: a host without a dot or a port is taken for a part of a path.
pub(super) fn can_begin_names(prefix: &str) -> bool {
    crate::domain::reference::names_registry(&format!("{prefix}/"))
}
