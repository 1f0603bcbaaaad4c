//! Names of images: registry, repository, tag, digest and the references made of them.
//!
//! The grammar is that of the [distribution project](https://github.com/distribution/reference), in its *normalised* form: a name without
//! a registry is one of Docker Hub, a single-component name there is an official image (`nginx` is `docker.io/library/nginx`), and all of
//! Docker Hub's spellings are one registry. Values are parsed once, so that two names of one image always compare equal; their clones, of
//! which events, queues and indices make many, share the text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::domain::dns_label::is_dns_label;

/// The canonical name of Docker Hub.
const DOCKER_HUB: &str = "docker.io";
/// Every other host under which Docker Hub is known.
const DOCKER_HUB_ALIASES: [&str; 4] = [
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
];
/// The namespace of Docker Hub's official images.
const OFFICIAL: &str = "library/";
/// The longest registry host and port that is accepted, in bytes.
const MAX_REGISTRY: usize = 255 + 6;
/// The longest repository that the distribution grammar allows, in bytes.
const MAX_REPOSITORY: usize = 255;
/// The longest tag that the distribution grammar allows, in bytes.
const MAX_TAG: usize = 128;

/// Why a text is no part of an image reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// The registry is no host name, optionally with a port.
    #[error("{0:?} is no registry: give a host name such as \"ghcr.io\", optionally with a port")]
    Registry(String),
    /// The repository breaks the distribution grammar.
    #[error(
        "{0:?} is no repository: give lower-case path components of letters and digits, separated by \"/\""
    )]
    Repository(String),
    /// The tag breaks the distribution grammar.
    #[error(
        "{0:?} is no tag: give up to 128 letters, digits, \"_\", \".\" and \"-\", not starting with \".\" or \"-\""
    )]
    Tag(String),
    /// The digest is not `algorithm:hex`.
    #[error("{0:?} is no digest: give \"sha256:\" and 64 hexadecimal digits")]
    Digest(String),
}

/// The host of a registry, lower-case, with its port if it has one. All of Docker Hub's names are `docker.io`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Registry(Arc<str>);

impl Registry {
    /// Docker Hub.
    #[must_use]
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.into())
    }

    /// Parses a host with an optional port; a scheme and a trailing slash are stripped.
    ///
    /// # Errors
    /// [`ReferenceError::Registry`] where the rest is no host name.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let bare = text.trim();
        let bare = bare
            .strip_prefix("https://")
            .or_else(|| bare.strip_prefix("http://"))
            .unwrap_or(bare);
        let host = bare.strip_suffix('/').unwrap_or(bare);
        Self::of_host(host).ok_or_else(|| ReferenceError::Registry(shortened(text)))
    }

    /// Takes a host with an optional port and nothing around it, not even blanks.
    fn of_host(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        if DOCKER_HUB_ALIASES.contains(&host.as_str()) {
            return Some(Self::docker_hub());
        }
        is_host_and_port(&host).then(|| Self(host.into()))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is Docker Hub, under whichever of its names it was given.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        &*self.0 == DOCKER_HUB
    }
}

fn is_host_and_port(text: &str) -> bool {
    if text.len() > MAX_REGISTRY {
        return false;
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((inner, after))
                if !inner.is_empty()
                    && inner
                        .bytes()
                        .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.') =>
            {
                return after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            }
            _ => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| is_dns_label(label, |b| b.is_ascii_alphanumeric() || b == b'_');
    host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The path of an image within its registry, lower-case, such as `library/nginx`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository(Arc<str>);

impl Repository {
    /// Parses a repository path; capitals are lowered, as registries do.
    ///
    /// # Errors
    /// [`ReferenceError::Repository`] where a component breaks the grammar or the whole is longer than 255 bytes.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let lower = text.to_ascii_lowercase();
        // What an official image is called does not count, so that a name that fits still fits once it is canonical.
        let counted = lower.strip_prefix(OFFICIAL).unwrap_or(&lower);
        if counted.len() > MAX_REPOSITORY || !lower.split('/').all(is_path_component) {
            return Err(ReferenceError::Repository(shortened(text)));
        }
        Ok(Self(lower.into()))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().copied().is_some_and(word) || !bytes.last().copied().is_some_and(word) {
        return false;
    }
    bytes
        .split(|b| word(*b))
        .filter(|run| !run.is_empty())
        .all(|separator| {
            matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
        })
}

/// A tag as the registry holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Parses a tag: `[\w][\w.-]{0,127}`.
    ///
    /// # Errors
    /// [`ReferenceError::Tag`] for anything else, digests included.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let bytes = text.as_bytes();
        let valid = bytes.len() <= MAX_TAG
            && bytes.first().is_some_and(word)
            && bytes.iter().all(|b| word(b) || *b == b'.' || *b == b'-');
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(ReferenceError::Tag(shortened(text)))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag is one under which cosign and its kin keep signatures, attestations and SBOMs of another image: the digest of that
    /// image with a dash for the colon, cut to 64 digits as the
    /// [referrers tag schema](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema) says, alone or
    /// with a suffix such as `.sig`. Such a push is no new version of anything.
    #[must_use]
    pub fn is_attachment(&self) -> bool {
        let Some(("sha256" | "sha384" | "sha512", rest)) = self.0.split_once('-') else {
            return false;
        };
        let hex = rest.split_once('.').map_or(rest, |(hex, _)| hex);
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

/// A content digest, `algorithm:hex`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(Arc<str>);

impl Digest {
    /// Parses a `sha256`, `sha384` or `sha512` digest of the right length.
    ///
    /// # Errors
    /// [`ReferenceError::Digest`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let length = |algorithm: &str| match algorithm {
            "sha256" => Some(64),
            "sha384" => Some(96),
            "sha512" => Some(128),
            _ => None,
        };
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        match text.split_once(':') {
            Some((algorithm, hex))
                if length(algorithm) == Some(hex.len()) && hex.bytes().all(lower_hex) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(ReferenceError::Digest(shortened(text))),
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which image: registry and repository. Official images of Docker Hub carry `library/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageName {
    registry: Registry,
    repository: Repository,
}

impl ImageName {
    /// Joins a registry and a repository; a single component on Docker Hub is an official image.
    #[must_use]
    pub fn new(registry: Registry, repository: Repository) -> Self {
        if registry.is_docker_hub() && !repository.0.contains('/') {
            return Self {
                registry,
                repository: Repository(format!("{OFFICIAL}{}", repository.0).into()),
            };
        }
        Self {
            registry,
            repository,
        }
    }

    /// Parses `[registry/]repository`, without tag or digest. The first component is a registry if it is `localhost`, or has a dot or
    /// a colon in it; a name without one is Docker Hub's.
    ///
    /// # Errors
    /// The part that is wrong, see [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        match text.split_once('/') {
            Some((first, rest)) if is_registry(first) => {
                let registry = Registry::of_host(first)
                    .ok_or_else(|| ReferenceError::Registry(shortened(first)))?;
                Ok(Self::new(registry, Repository::parse(rest)?))
            }
            _ => Ok(Self::new(Registry::docker_hub(), Repository::parse(text)?)),
        }
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }
}

/// Whether a name, as somebody wrote it, says which registry it is in.
#[must_use]
pub fn names_registry(spelling: &str) -> bool {
    spelling
        .split_once('/')
        .is_some_and(|(first, _)| is_registry(first))
}

fn is_registry(first: &str) -> bool {
    first.eq_ignore_ascii_case("localhost") || first.contains(['.', ':'])
}

/// A reference as somebody wrote it: which image, its spelling, and a tag and a digest if they are given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    name: ImageName,
    spelling: String,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses `[registry/]repository[:tag][@digest]`.
    ///
    /// # Errors
    /// The part that is wrong, see [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        let (spelling, tag) = split_name(rest);
        let tag = tag.map(Tag::parse).transpose()?;
        Ok(Self {
            name: ImageName::parse(spelling)?,
            spelling: spelling.to_owned(),
            tag,
            digest,
        })
    }

    /// Which image.
    #[must_use]
    pub fn name(&self) -> &ImageName {
        &self.name
    }

    /// The name as it was written, without tag and digest.
    #[must_use]
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// The tag, if one is given.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if one is given.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

/// Splits `name[:rest]` at the first colon after the last slash of the name, so that a port is no tag. The rest may be any text, a
/// version constraint for instance.
#[must_use]
pub fn split_name(text: &str) -> (&str, Option<&str>) {
    let path = text.rfind('/').map_or(0, |slash| slash + 1);
    match text[path..].find(':') {
        Some(colon) => (&text[..path + colon], Some(&text[path + colon + 1..])),
        None => (text, None),
    }
}

/// What an error quotes of a foreign text.
fn shortened(text: &str) -> String {
    const QUOTED: usize = 80;
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

macro_rules! text_value {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = ReferenceError;
            fn from_str(text: &str) -> Result<Self, ReferenceError> {
                Self::parse(text)
            }
        }
    )*};
}
text_value!(Registry, Repository, Tag, Digest);

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)
    }
}

/// The end of a reference: `[:tag][@digest]`.
pub(super) fn write_version(
    f: &mut fmt::Formatter<'_>,
    tag: Option<impl fmt::Display>,
    digest: Option<impl fmt::Display>,
) -> fmt::Result {
    if let Some(tag) = tag {
        write!(f, ":{tag}")?;
    }
    match digest {
        Some(digest) => write!(f, "@{digest}"),
        None => Ok(()),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelling)?;
        write_version(f, self.tag.as_ref(), self.digest.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> String {
        ImageName::parse(text).unwrap().to_string()
    }

    #[test]
    fn all_spellings_of_docker_hub_are_one() {
        for spelling in [
            "nginx",
            "library/nginx",
            "docker.io/nginx",
            "docker.io/library/nginx",
            "index.docker.io/nginx",
            "registry-1.docker.io/library/nginx",
        ] {
            assert_eq!(name(spelling), "docker.io/library/nginx", "{spelling}");
        }
        assert_eq!(name("bitnami/redis"), "docker.io/bitnami/redis");
    }

    #[test]
    fn ports_are_kept_and_capitals_lowered() {
        assert_eq!(
            name("Harbor.Acme.Example:8443/Payments/API"),
            "harbor.acme.example:8443/payments/api"
        );
        assert_eq!(name("localhost:5000/app"), "localhost:5000/app");
        assert_eq!(name("localhost/app"), "localhost/app");
        assert_eq!(
            Registry::parse("https://quay.acme.example/")
                .unwrap()
                .as_str(),
            "quay.acme.example"
        );
    }

    #[test]
    fn a_reference_keeps_its_spelling() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let reference = Reference::parse(&format!("docker.io/nginx:1.27@{digest}")).unwrap();
        assert_eq!(reference.name().to_string(), "docker.io/library/nginx");
        assert_eq!(reference.spelling(), "docker.io/nginx");
        assert_eq!(reference.tag().unwrap().as_str(), "1.27");
        assert_eq!(
            reference.to_string(),
            format!("docker.io/nginx:1.27@{digest}")
        );
        assert_eq!(
            split_name("localhost:5000/foo:~1"),
            ("localhost:5000/foo", Some("~1"))
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for bad in [
            "",
            "/",
            "a//b",
            "a b",
            "-a/b",
            "ghcr.io/",
            " ghcr.io/a",
            "ghcr.io /a",
            "https://ghcr.io/a",
            "ghcr.io/a:",
            "ghcr.io/a:-1",
            "a@sha256:12",
            "ghcr.io:99999/a",
            "a/../b",
            "a___b",
            "[::1/a",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Tag::parse(&format!("sha256:{}", "a".repeat(64))).is_err());
    }

    #[test]
    fn the_longest_official_image_stays_one() {
        let longest = "a".repeat(MAX_REPOSITORY);
        assert_eq!(
            name(&name(&longest)),
            format!("docker.io/library/{longest}")
        );
        assert!(ImageName::parse(&format!("{longest}a")).is_err());
    }

    #[test]
    fn attachments_are_recognised() {
        let hex = "0".repeat(64);
        for tag in [
            format!("sha256-{hex}.sig"),
            format!("sha256-{hex}.att"),
            format!("sha256-{hex}.sbom"),
            format!("sha256-{hex}"),
            format!("sha512-{hex}"),
        ] {
            assert!(Tag::parse(&tag).unwrap().is_attachment(), "{tag}");
        }
        assert!(!Tag::parse("sha256-cafe").unwrap().is_attachment());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = Reference::parse(&text);
            let _ = Registry::parse(&text);
        }

        #[test]
        fn what_is_shown_parses_to_the_same(text in "[a-zA-Z0-9.:/_@-]{1,60}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference.clone());
                prop_assert_eq!(&ImageName::parse(&reference.name().to_string()).unwrap(), reference.name());
            }
        }
    }
}
