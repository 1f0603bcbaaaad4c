//! An image that an ImageUpdater tracks in an Application, with everything that a decision about it takes.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::policy::Current;
use crate::domain::reference::ImageName;
use crate::domain::registry::default_registry::DefaultRegistry;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::identity::Identity;
use crate::domain::tracking::image_rule::ImageRule;
use crate::domain::tracking::image_target::TargetError;
use crate::domain::tracking::outlet::Outlet;
use crate::domain::tracking::outlet::OutletError;
use crate::domain::tracking::spec_version::spec_versions;

/// An image that an ImageUpdater tracks in an Application.
#[derive(Debug, Clone)]
pub struct TrackedImage {
    /// The ImageUpdater.
    pub updater: Arc<ImageUpdater>,
    /// The Application, as it was when this was found out.
    pub application: Arc<Application>,
    /// What the ImageUpdater says about the image.
    pub rule: Arc<ImageRule>,
    /// The registry that has names without one.
    pub default: Arc<DefaultRegistry>,
    /// Where in the Application it is written.
    pub outlet: Result<Outlet, NoOutlet>,
    /// What runs; `None` where the image is not live and is not to be updated.
    pub live: Option<Live>,
    /// What forbids to write it, whatever is pushed.
    pub hindrance: Option<Hindrance>,
}

/// What runs of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The versions that run, or that a spec without status names. Empty where the image is not live, or nobody knows, and it is to be
    /// updated all the same.
    pub versions: Vec<Current>,
    /// The name in the manifests where it is not spelled as the ImageUpdater spells it. Kustomize compares names as texts.
    pub spelling: Option<String>,
}

/// Why it is not known where an image is written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoOutlet {
    /// The image's target is wrong.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The Application has no place for it.
    #[error(transparent)]
    Source(#[from] OutletError),
}

impl TrackedImage {
    /// What a name is compared with to know whether it is this image's.
    #[must_use]
    pub fn identity(&self) -> Identity<'_> {
        Identity::new(&self.rule.image, &self.default)
    }

    /// The image in the registry that has it: the name under which tags are asked for, and which events have.
    #[must_use]
    pub fn asked(&self) -> ImageName {
        self.identity().asked()
    }

    /// Everything in which the image is in use: what the spec says, and what runs.
    #[must_use]
    pub fn in_use(&self) -> Vec<Current> {
        let mut versions = self.spec_versions();
        if let Some(live) = &self.live {
            versions.extend_from_slice(&live.versions);
        }
        versions
    }

    /// The versions that the spec says.
    #[must_use]
    pub fn spec_versions(&self) -> Vec<Current> {
        self.outlet.as_ref().map_or_else(
            |_| Vec::new(),
            |outlet| spec_versions(&self.application, outlet, self.identity()),
        )
    }
}
