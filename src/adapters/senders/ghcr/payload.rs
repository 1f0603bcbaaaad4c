//! What is read of GitHub's payload.

use serde::Deserialize;

use crate::adapters::senders::json::Text;

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    pub(super) package: Option<Package<'a>>,
    pub(super) registry_package: Option<Package<'a>>,
    zen: Text<'a>,
    hook_id: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Package<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    namespace: Text<'a>,
    #[serde(rename = "package_type")]
    kind: Text<'a>,
    ecosystem: Text<'a>,
    owner: Option<Owner<'a>>,
    #[serde(rename = "package_version")]
    pub(super) version: Option<Version<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Owner<'a> {
    #[serde(borrow)]
    login: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Version<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(rename = "version")]
    pub(super) id: Text<'a>,
    container_metadata: Option<Metadata<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Metadata<'a> {
    #[serde(borrow)]
    tag: Option<TagInfo<'a>>,
    manifest: Option<Manifest<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct TagInfo<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    digest: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Manifest<'a> {
    #[serde(borrow)]
    digest: Text<'a>,
    media_type: Text<'a>,
    config: Option<Config<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Config<'a> {
    #[serde(borrow)]
    media_type: Text<'a>,
}

impl Payload<'_> {
    /// Whether this is what GitHub sends to try a new webhook.
    pub(super) fn is_ping(&self) -> bool {
        self.zen.get().is_some() && self.hook_id.get().is_some()
    }
}

impl Package<'_> {
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

impl Version<'_> {
    fn tag_info(&self) -> Option<&TagInfo<'_>> {
        self.container_metadata.as_ref()?.tag.as_ref()
    }

    fn manifest(&self) -> Option<&Manifest<'_>> {
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
