//! What is known of builds.

use std::sync::Arc;
use std::time::SystemTime;

use super::image_config;
use super::image_config::ImageConfig;
use super::learned::Learned;
use super::learned::Named;
use super::manifest;
use super::manifest::Child;
use super::manifest::Manifest;
use super::target::Target;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Build;
use crate::domain::registry::platform::Platform;
use crate::domain::registry::platform::Platforms;
use crate::domain::registry::question::Age;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Pointer;
use crate::ports::artifact_reader::RawManifest;
use crate::ports::registry_client::RegistryError;

/// Configurations have the history of all layers in them, and some have a lot of labels.
const CONFIG_BYTES: usize = 8 << 20;
/// An index in an index is allowed, and rare; deeper ones are none that anybody made.
const DEEPEST: usize = 3;

/// Looks at builds of a repository.
#[derive(Clone)]
pub(super) struct Builds {
    pub(super) target: Target,
    pub(super) learned: Arc<Learned>,
}

/// What the images for some platforms say.
#[derive(Default)]
struct Found {
    is_for_platform: bool,
    created: Option<SystemTime>,
}

impl Found {
    fn add(&mut self, other: &Self) {
        self.is_for_platform |= other.is_for_platform;
        self.created = self.created.max(other.created);
    }
}

impl Builds {
    /// The answer to a question.
    pub(super) async fn build(
        &self,
        question: &BuildQuestion,
    ) -> Result<Option<Build>, RegistryError> {
        let pointed = match &question.of {
            Pointer::Digest(digest) => self.by_digest(digest).await?,
            Pointer::Tag(tag) => self.by_tag(tag, question.age).await?,
        };
        let Some((digest, manifest)) = pointed else {
            return Ok(None);
        };
        let found = self.look(&manifest, &question.platforms, 0).await?;
        Ok(Some(Build {
            digest,
            created: found.created,
            is_for_platform: found.is_for_platform,
        }))
    }

    async fn by_digest(
        &self,
        digest: &Digest,
    ) -> Result<Option<(Digest, Arc<Manifest>)>, RegistryError> {
        let manifest = self.manifest(digest).await?;
        Ok(manifest.map(|manifest| (digest.clone(), manifest)))
    }

    async fn by_tag(
        &self,
        tag: &Tag,
        age: Age,
    ) -> Result<Option<(Digest, Arc<Manifest>)>, RegistryError> {
        let name = self.named(tag);
        let known = self.learned.tags.get(&name);
        match (known, age) {
            (Some(digest), Age::Recent) => self.by_digest(&digest).await,
            // What it points at is mostly known already, and HEAD costs less: Docker Hub counts no HEAD as a pull.
            (Some(_), Age::Now) => match self.digest(tag).await? {
                Some(digest) => self.by_digest(&digest).await,
                None => Ok(None),
            },
            (None, Age::Now | Age::Recent) => {
                let of = Pointer::Tag(tag.clone());
                let Some(raw) = self.target.raw_manifest(&of).await? else {
                    return Ok(None);
                };
                let manifest = self.read(&raw)?;
                self.learned.tags.put(name, raw.digest.clone());
                let name = self.named(&raw.digest);
                self.learned.manifests.put(name, Arc::clone(&manifest));
                Ok(Some((raw.digest, manifest)))
            }
        }
    }

    /// What a tag points at now.
    pub(super) async fn digest(&self, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        let digest = self.target.digest(tag).await?;
        match &digest {
            Some(digest) => self.learned.tags.put(self.named(tag), digest.clone()),
            None => self.learned.tags.remove(&self.named(tag)),
        }
        Ok(digest)
    }

    async fn look(
        &self,
        manifest: &Manifest,
        platforms: &Platforms,
        depth: usize,
    ) -> Result<Found, RegistryError> {
        match manifest {
            Manifest::Image { config, created } => {
                let config = match config {
                    Some(digest) => Some(self.config(digest).await?),
                    None => None,
                };
                let platform = config.as_ref().and_then(|config| config.platform.as_ref());
                let admits = |platform| platforms.admits(platform);
                Ok(Found {
                    is_for_platform: platforms.is_any() || platform.is_some_and(admits),
                    created: config.and_then(|config| config.created).or(*created),
                })
            }
            Manifest::Index { children, created } => {
                let mut found = self.look_into(children, platforms, depth).await?;
                found.created = found.created.or(*created);
                Ok(found)
            }
        }
    }

    async fn look_into(
        &self,
        children: &[Child],
        platforms: &Platforms,
        depth: usize,
    ) -> Result<Found, RegistryError> {
        if depth == DEEPEST {
            let trouble = &self.target.host.trouble;
            return Err(trouble.nonsense(format!("indexes in indexes, more than {DEEPEST} deep")));
        }
        let mut found = Found::default();
        for child in asked(children, platforms) {
            let Some(manifest) = self.manifest(&child.digest).await? else {
                let reason = format!(
                    "an index with {} in it, which it does not have",
                    child.digest
                );
                return Err(self.target.host.trouble.nonsense(reason));
            };
            let below = Box::pin(self.look(&manifest, platforms, depth + 1)).await?;
            // What the index says counts where the image itself says nothing.
            let is_said = child.platform.is_some();
            let below = Found {
                is_for_platform: is_said || below.is_for_platform,
                ..below
            };
            if below.is_for_platform {
                found.add(&below);
            }
        }
        Ok(found)
    }

    /// A manifest that a digest names, asked for once.
    async fn manifest(&self, digest: &Digest) -> Result<Option<Arc<Manifest>>, RegistryError> {
        let name = self.named(digest);
        if let Some(known) = self.learned.manifests.get(&name) {
            return Ok(Some(known));
        }
        let asking = || {
            let (builds, name) = (self.clone(), name.clone());
            async move {
                let of = Pointer::Digest(name.1.clone());
                let Some(raw) = builds.target.raw_manifest(&of).await? else {
                    return Ok(None);
                };
                let manifest = builds.read(&raw)?;
                builds.learned.manifests.put(name, Arc::clone(&manifest));
                Ok(Some(manifest))
            }
        };
        self.learned.reading_manifests.ask(&name, asking).await
    }

    /// A configuration that a digest names, asked for once.
    async fn config(&self, digest: &Digest) -> Result<Arc<ImageConfig>, RegistryError> {
        let name = self.named(digest);
        if let Some(known) = self.learned.configs.get(&name) {
            return Ok(known);
        }
        let asking = || {
            let (builds, name) = (self.clone(), name.clone());
            async move {
                let Some(raw) = builds.target.raw_blob(&name.1, CONFIG_BYTES).await? else {
                    return Ok(None);
                };
                let config = image_config::parse(&raw);
                let config =
                    config.map_err(|reason| builds.target.host.trouble.nonsense(reason))?;
                let config = Arc::new(config);
                builds.learned.configs.put(name, Arc::clone(&config));
                Ok(Some(config))
            }
        };
        let config = self.learned.reading_configs.ask(&name, asking).await?;
        config.ok_or_else(|| {
            let reason =
                format!("a manifest with the configuration {digest}, which it does not have");
            self.target.host.trouble.nonsense(reason)
        })
    }

    fn read(&self, raw: &RawManifest) -> Result<Arc<Manifest>, RegistryError> {
        let manifest = manifest::parse(&raw.content);
        let manifest = manifest.map_err(|reason| self.target.host.trouble.nonsense(reason))?;
        Ok(Arc::new(manifest))
    }

    fn named<N: Clone>(&self, name: &N) -> Named<N> {
        (Arc::clone(&self.target.key), name.clone())
    }
}

/// The children that are asked: those for the platforms; where any does, the one for this machine, or else the first.
fn asked<'c>(children: &'c [Child], platforms: &Platforms) -> Vec<&'c Child> {
    if platforms.is_any() {
        let own = own_platform();
        let is_own = |child: &&Child| {
            let platform = child.platform.as_ref();
            platform.is_some_and(|platform| own.admits(platform))
        };
        let one = children.iter().find(is_own).or(children.first());
        return one.into_iter().collect();
    }
    let may_do = |child: &&Child| {
        let platform = child.platform.as_ref();
        platform.is_none_or(|platform| platforms.admits(platform))
    };
    children.iter().filter(may_do).collect()
}

/// What this program was built for, in the words of images.
fn own_platform() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "x86" => "386",
        other => other,
    };
    Platform::new("linux", architecture, None)
}
