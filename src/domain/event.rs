//! What a registry announced.

use std::fmt;

use crate::domain::reference::{Digest, ImageName, Tag, write_version};

/// "This tag of this image was pushed." A push without a tag is no event: nobody tracks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageEvent {
    /// Which image.
    pub image: ImageName,
    /// The tag that was pushed.
    pub tag: Tag,
    /// What the tag points at now, where the sender says so.
    pub digest: Option<Digest>,
}

impl fmt::Display for ImageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.image)?;
        write_version(f, Some(&self.tag), self.digest.as_ref())
    }
}
