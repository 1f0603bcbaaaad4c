//! What is read of GitHub's payload.

use serde::Deserialize;

use crate::adapters::senders::json::Text;

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Payload {
    pub(super) action: Text,
    pub(super) package: Option<Package>,
    pub(super) registry_package: Option<Package>,
    zen: Text,
    hook_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Package {
    pub(super) name: Text,
    namespace: Text,
    #[serde(rename = "package_type")]
    kind: Text,
    ecosystem: Text,
    owner: Option<Owner>,
    #[serde(rename = "package_version")]
    pub(super) version: Option<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Owner {
    login: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Version {
    pub(super) name: Text,
    #[serde(rename = "version")]
    pub(super) id: Text,
    container_metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Metadata {
    tag: Option<TagInfo>,
    manifest: Option<Manifest>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct TagInfo {
    name: Text,
    digest: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Manifest {
    digest: Text,
    media_type: Text,
    config: Option<Config>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Config {
    media_type: Text,
}

impl Payload {
    /// Whether this is what GitHub sends to try a new webhook.
    pub(super) fn is_ping(&self) -> bool {
        self.zen.get().is_some() && self.hook_id.get().is_some()
    }
}

impl Package {
    /// The kind of package, such as `CONTAINER` or `npm`.
    pub(super) fn kind(&self) -> Option<&str> {
        self.kind.get().or(self.ecosystem.get())
    }

    /// The user or organization that it belongs to.
    pub(super) fn owner(&self) -> Option<&str> {
        let login = self.owner.as_ref().and_then(|owner| owner.login.get());
        login.or(self.namespace.get())
    }
}

impl Version {
    fn tag_info(&self) -> Option<&TagInfo> {
        self.container_metadata.as_ref()?.tag.as_ref()
    }

    fn manifest(&self) -> Option<&Manifest> {
        self.container_metadata.as_ref()?.manifest.as_ref()
    }

    /// The tag of the container metadata.
    pub(super) fn tag(&self) -> Option<&str> {
        self.tag_info()?.name.get()
    }

    /// The digest of the container metadata.
    pub(super) fn digest(&self) -> Option<&str> {
        let of_tag = self.tag_info().and_then(|tag| tag.digest.get());
        of_tag.or_else(|| self.manifest()?.digest.get())
    }

    /// The media types of the manifest and of its configuration.
    pub(super) fn media_types(&self) -> impl Iterator<Item = &str> {
        let manifest = self.manifest();
        let config = manifest.and_then(|manifest| manifest.config.as_ref());
        let types = [
            manifest.and_then(|manifest| manifest.media_type.get()),
            config.and_then(|config| config.media_type.get()),
        ];
        types.into_iter().flatten()
    }
}
