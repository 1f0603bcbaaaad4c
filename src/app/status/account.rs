//! What was done for the events of one image.

use crate::domain::change::ApplicationChange;
use crate::domain::reference::ImageName;
use crate::domain::resources::resource::ResourceId;

/// What was done for the events of one image, for those who are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The image.
    pub image: ImageName,
    /// The changes that were written.
    pub written: Vec<ApplicationChange>,
    /// The changes that cannot be written, and why.
    pub failed: Vec<(ApplicationChange, String)>,
    /// The changes that could not be written so often that people are to know, and why. They are tried again.
    pub held_up: Vec<(ApplicationChange, String)>,
    /// The Applications that are no longer there.
    pub gone: Vec<ResourceId>,
}

impl Account {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(image: ImageName) -> Self {
        Self {
            image,
            written: Vec::new(),
            failed: Vec::new(),
            held_up: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.unwritten().next().is_none() && self.gone.is_empty()
    }

    /// Whether something could not be written into an Application.
    pub(super) fn has_failed_in(&self, application: &ResourceId) -> bool {
        let mut unwritten = self.unwritten();
        unwritten.any(|(change, _)| change.application == *application)
    }

    /// The changes that are not written, and why.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = &(ApplicationChange, String)> {
        self.failed.iter().chain(&self.held_up)
    }
}
