//! What forbids to write an image into an Application, whatever is pushed.

use thiserror::Error;

use crate::domain::resources::problem::Finding;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::image_rule::Verification;
use crate::domain::tracking::write_back::WriteBackMethod;

/// What forbids to write an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Hindrance {
    /// Another ImageUpdater tracks it, too.
    #[error(
        "ImageUpdater {0} tracks this image of this Application, too, and decides because it comes first, by age and then by name: let only one of them track it"
    )]
    Older(ResourceId),
    /// Changes are to be kept in git.
    #[error(
        "changes are to be written to git, which is not possible yet, and nothing is written in another way: set writeBackConfig.method, or the annotation write-back-method, to argocd to have them written into the Application"
    )]
    Git,
    /// A signature is to be verified, and with no key.
    #[error(
        "its signature is to be verified and no key is given: set imagesVerification.cosignKey"
    )]
    VerificationKey,
    /// Two images that are in use would overwrite each other.
    #[error(
        "it and {other} are written to the same {place}, and both are in use: give each its own manifestTargets"
    )]
    SharedTarget {
        /// The other image.
        other: String,
        /// The parameter, variable or entry.
        place: String,
    },
}

impl Hindrance {
    /// What a method of keeping changes forbids.
    #[must_use]
    pub fn of_method(method: WriteBackMethod) -> Option<Self> {
        match method {
            WriteBackMethod::Application => None,
            WriteBackMethod::Git => Some(Self::Git),
        }
    }

    /// What the verification of signatures forbids.
    #[must_use]
    pub fn of_verification(verification: &Verification) -> Option<Self> {
        match verification {
            Verification::NotAsked | Verification::WithKey(_) => None,
            Verification::WithoutKey => Some(Self::VerificationKey),
        }
    }
}

impl From<Hindrance> for Finding {
    fn from(hindrance: Hindrance) -> Self {
        Self::warning(hindrance.to_string())
    }
}
