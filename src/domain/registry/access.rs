//! Whose tags are asked for, and with which credentials.

use crate::domain::reference::ImageName;
use crate::domain::registry::credential_source::CredentialSource;

/// A repository, and the credentials with which it is asked. What one tracked image may see another may not, so nothing that was asked with
/// some credentials answers a question with others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Access {
    /// The image.
    pub image: ImageName,
    /// Where credentials of its own are; `None`: those of the registry's configuration, if it has any.
    pub credentials: Option<CredentialSource>,
}

impl Access {
    /// An image without credentials of its own.
    #[must_use]
    pub fn plain(image: ImageName) -> Self {
        Self {
            image,
            credentials: None,
        }
    }
}
