//! An image that an ImageUpdater tracks in an Application, with everything that a decision about it takes.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::policy::Current;
use crate::domain::reference::ImageName;
use crate::domain::registry::access::Access;
use crate::domain::registry::credential_source::CredentialKind;
use crate::domain::registry::credential_source::CredentialSourceError;
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

    /// By what name and with which credentials registries are asked for it. `allowed` are the kinds of sources that images may use.
    ///
    /// # Errors
    /// [`CredentialSourceError`] where the image names credentials that cannot be used. Then it is asked for with no others.
    pub fn access(&self, allowed: &[CredentialKind]) -> Result<Access, CredentialSourceError> {
        let credentials = self.rule.pull_secret.clone().transpose()?;
        if let Some(source) = &credentials {
            source.check(&self.application.id.namespace, allowed)?;
        }
        Ok(Access {
            image: self.asked(),
            credentials,
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::image_updater::ImageConfig;
    use crate::domain::resources::image_updater::UpdateSettings;
    use crate::domain::testing::application;
    use crate::domain::testing::default_registry;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::reference;
    use crate::domain::testing::tracked_by_default;
    use crate::domain::testing::updater;

    #[test]
    fn an_image_is_asked_for_with_its_own_credentials_or_not_at_all() {
        let access = |pull_secret: &str, allowed: &[CredentialKind]| {
            let settings = UpdateSettings {
                pull_secret: Some(pull_secret.to_owned()),
                ..UpdateSettings::default()
            };
            let config = ImageConfig {
                settings,
                ..image("", "nginx")
            };
            let updaters = vec![updater("u", vec![reference("*", vec![config])])];
            let web = application("web", kustomize_source(&["nginx:1"]));
            let harbor = default_registry("harbor.acme.example", Some("proxy"));
            tracked_by_default(web, updaters, harbor).0[0]
                .access(allowed)
                .map(|access| {
                    let credentials = access.credentials.map(|source| source.to_string());
                    (access.image.to_string(), credentials.unwrap_or_default())
                })
        };
        let nginx = |source: &str| {
            let image = "harbor.acme.example/proxy/nginx".to_owned();
            Ok((image, source.to_owned()))
        };
        let by_default = [CredentialKind::PullSecret, CredentialKind::Secret];
        let own = "pullsecret:argocd/pull";
        assert_eq!(access("", &by_default), nginx(""));
        assert_eq!(access(own, &by_default), nginx(own));
        assert_eq!(access("env:A", &[CredentialKind::Env]), nginx("env:A"));
        let error = access("pullsecret:other/pull", &by_default).unwrap_err();
        assert!(matches!(
            error,
            CredentialSourceError::OtherNamespace { .. }
        ));
        let kind = CredentialKind::Env;
        let refused = Err(CredentialSourceError::NotAllowed(kind));
        assert_eq!(access("ENV:A", &by_default), refused);
        assert_eq!(access("A", &by_default), Err(CredentialSourceError::Form));
    }
}
