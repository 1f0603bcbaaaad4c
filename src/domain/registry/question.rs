//! What a registry can be asked.

use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::domain::registry::platform::Platforms;
use crate::domain::resources::image_updater::SecretKeyRef;

/// A question about one repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Which tags there are.
    Tags,
    /// What a tag points at now. No cache answers this.
    Digest(Tag),
    /// When something was built, and whether for the platforms.
    Build(BuildQuestion),
    /// Whether what a digest names is signed with a key.
    Signature {
        /// What is to be signed.
        digest: Digest,
        /// The namespace of the Secret with the key.
        namespace: String,
        /// The public key.
        key: SecretKeyRef,
    },
}

/// A question about a build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildQuestion {
    /// What it is about.
    pub of: Pointer,
    /// The platforms of which it must be for one.
    pub platforms: Platforms,
    /// How old the knowledge of what a tag points at may be.
    pub age: Age,
}

/// What names a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pointer {
    /// A tag, which may point elsewhere tomorrow.
    Tag(Tag),
    /// A digest, which names one content for ever.
    Digest(Digest),
}

impl Pointer {
    /// As it stands in a path of the distribution API.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

/// How old an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Age {
    /// The registry is asked.
    Now,
    /// What was learned not long ago does.
    Recent,
}
