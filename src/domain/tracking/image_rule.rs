//! One configured image with everything that its ImageUpdater says about it, before it meets an Application.

use crate::domain::policy::Policy;
use crate::domain::policy::PolicyError;
use crate::domain::policy::PolicyRules;
use crate::domain::registry::credential_source::CredentialSource;
use crate::domain::registry::credential_source::CredentialSourceError;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::problem::Finding;
use crate::domain::tracking::configured_image::ConfiguredImage;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::image_target::ImageTarget;
use crate::domain::tracking::image_target::TargetError;

/// A configured image. Only a name that is none keeps it from being one: what else is wrong with it is kept in it, so that an event for
/// it can say so.
#[derive(Debug, Clone)]
pub struct ImageRule {
    /// The image.
    pub image: ConfiguredImage,
    /// How its versions are judged.
    pub policy: Result<Policy, PolicyError>,
    /// What `manifestTargets` names.
    pub target: Result<Option<ImageTarget>, TargetError>,
    /// Whether it is updated where it is not live.
    pub force_update: bool,
    /// Where credentials of its own for its registry are; `None`: it has none.
    pub pull_secret: Option<Result<CredentialSource, CredentialSourceError>>,
    /// The platforms that it must have.
    pub platforms: Vec<String>,
    /// Whether its signature is verified.
    pub verification: Verification,
}

/// Whether an image's signature is verified before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Nobody asked for it.
    NotAsked,
    /// With this public key.
    WithKey(SecretKeyRef),
    /// It is asked for and no key is given.
    WithoutKey,
}

impl Verification {
    /// Reads what all levels say together.
    #[must_use]
    pub fn parse(settings: Option<VerificationSettings>) -> Self {
        match settings {
            None
            | Some(VerificationSettings {
                enabled: Some(false),
                ..
            }) => Self::NotAsked,
            Some(VerificationSettings {
                enabled: Some(true) | None,
                cosign_key,
            }) => cosign_key.map_or(Self::WithoutKey, Self::WithKey),
        }
    }
}

impl ImageRule {
    /// Reads one of `images`. The settings are those with everything inherited, and so is the verification.
    ///
    /// # Errors
    /// What is wrong with the image's name. All other findings come with the rule.
    pub fn parse(
        config: &ImageConfig,
        settings: &UpdateSettings,
        verification: Verification,
    ) -> Result<(Self, Vec<Finding>), Finding> {
        let image = ConfiguredImage::parse(&config.alias, &config.image_name).map_err(|error| {
            Finding::error(format!("image {:?}: {error}", config.image_name.trim()))
        })?;
        let (policy, warnings) = match Policy::parse(&policy_rules(&image, settings)) {
            Ok((policy, warnings)) => (Ok(policy), warnings),
            Err(error) => (Err(error), Vec::new()),
        };
        let rule = Self {
            policy,
            target: ImageTarget::parse(&config.target),
            force_update: settings.force_update.unwrap_or(false),
            pull_secret: settings
                .pull_secret
                .as_deref()
                .filter(|text| !text.trim().is_empty())
                .map(CredentialSource::parse),
            platforms: settings.platforms.clone().unwrap_or_default(),
            verification,
            image,
        };
        let findings = warnings
            .into_iter()
            .map(Finding::warning)
            .chain(rule.mistakes())
            .chain(Hindrance::of_verification(&rule.verification).map(Finding::from))
            .map(|finding| finding.within(format_args!("image {}", rule.image)))
            .collect();
        Ok((rule, findings))
    }

    /// What keeps this image from ever being updated.
    fn mistakes(&self) -> impl Iterator<Item = Finding> {
        let policy = self.policy.as_ref().err().map(ToString::to_string);
        let target = self.target.as_ref().err().map(ToString::to_string);
        let source = self
            .pull_secret
            .as_ref()
            .and_then(|read| read.as_ref().err());
        let source = source.map(|error| format!("pullSecret: {error}"));
        policy
            .into_iter()
            .chain(target)
            .chain(source)
            .map(Finding::error)
    }
}

fn policy_rules<'a>(image: &'a ConfiguredImage, settings: &'a UpdateSettings) -> PolicyRules<'a> {
    PolicyRules {
        strategy: settings.strategy.as_deref(),
        constraint: image.constraint(),
        allow_tags: settings.allow_tags.as_deref(),
        ignore_tags: settings.ignore_tags.as_deref().unwrap_or_default(),
        platforms: settings.platforms.as_deref().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Strategy;
    use crate::domain::resources::image_updater::ManifestTarget;
    use crate::domain::resources::image_updater::NamedTarget;
    use crate::domain::resources::problem::Severity;
    use crate::domain::testing::image;

    fn parse(
        config: &ImageConfig,
        settings: &UpdateSettings,
    ) -> Result<(ImageRule, Vec<Finding>), Finding> {
        ImageRule::parse(config, settings, Verification::NotAsked)
    }

    #[test]
    fn settings_become_a_policy() {
        let settings = UpdateSettings {
            strategy: Some("digest".to_owned()),
            force_update: Some(true),
            pull_secret: Some("env:TOKEN".to_owned()),
            platforms: Some(vec!["linux/amd64".to_owned()]),
            ..UpdateSettings::default()
        };
        let (rule, findings) = parse(&image("web", "nginx:latest"), &settings).unwrap();
        assert_eq!(findings, []);
        let policy = rule.policy.unwrap();
        assert_eq!(policy.strategy(), Strategy::Digest);
        assert_eq!(policy.constraint_text(), Some("latest"));
        assert!(rule.force_update);
        assert_eq!(
            rule.pull_secret,
            Some(Ok(CredentialSource::Env("TOKEN".to_owned())))
        );
        assert_eq!(rule.platforms, ["linux/amd64"]);
    }

    #[test]
    fn only_a_bad_name_makes_no_rule() {
        let error = parse(&image("web", "not an image"), &UpdateSettings::default()).unwrap_err();
        assert_eq!(error.severity, Severity::Error);
        assert!(error.message.contains("\"not an image\""), "{error:?}");

        let mut config = image("web", "nginx:no constraint");
        config.target = ManifestTarget {
            helm: Some(NamedTarget::default()),
            kustomize: Some("nginx".to_owned()),
            plugin: None,
        };
        let (rule, findings) = parse(&config, &UpdateSettings::default()).unwrap();
        assert!(rule.policy.is_err());
        assert_eq!(rule.target, Err(TargetError::Several));
        assert_eq!(findings.len(), 2);
        for finding in findings {
            assert_eq!(finding.severity, Severity::Error);
            assert!(finding.message.starts_with("image nginx (web): "));
        }
    }

    #[test]
    fn a_pull_secret_that_is_no_source_is_told_without_what_it_is() {
        let settings = |text: &str| UpdateSettings {
            pull_secret: Some(text.to_owned()),
            ..UpdateSettings::default()
        };
        let (rule, findings) = parse(&image("", "nginx"), &settings("bob:hunter2")).unwrap();
        assert_eq!(rule.pull_secret, Some(Err(CredentialSourceError::Form)));
        let told = &findings[0].message;
        assert!(
            told.starts_with("image nginx: pullSecret: it is no source"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
        let (rule, findings) = parse(&image("", "nginx"), &settings(" ")).unwrap();
        assert_eq!((rule.pull_secret, findings), (None, Vec::new()));
    }

    #[test]
    fn warnings_of_the_policy_name_the_image() {
        let settings = UpdateSettings {
            strategy: Some("latest".to_owned()),
            ..UpdateSettings::default()
        };
        let (_, findings) = parse(&image("", "nginx"), &settings).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(findings[0].message.starts_with("image nginx: "));
    }

    #[test]
    fn verification_is_asked_for_by_any_block_that_does_not_turn_it_off() {
        let key = SecretKeyRef {
            secret_name: "cosign".to_owned(),
            key: "cosign.pub".to_owned(),
        };
        let block = |enabled, cosign_key: Option<&SecretKeyRef>| {
            Some(VerificationSettings {
                enabled,
                cosign_key: cosign_key.cloned(),
            })
        };
        for (settings, expected) in [
            (None, Verification::NotAsked),
            (block(Some(false), Some(&key)), Verification::NotAsked),
            (block(Some(true), None), Verification::WithoutKey),
            (block(None, None), Verification::WithoutKey),
            (block(None, Some(&key)), Verification::WithKey(key.clone())),
        ] {
            assert_eq!(
                Verification::parse(settings.clone()),
                expected,
                "{settings:?}"
            );
        }
    }
}
