//! How `commonUpdateSettings`, `writeBackConfig` and `imagesVerification` are handed down: from an ImageUpdater to its `applicationRefs`, and
//! from those to their images. What a lower level gives replaces what it would inherit, field by field; lists are not joined, and an
//! empty text or list is given, too.

use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::image_updater::WriteBackSettings;

impl UpdateSettings {
    /// These settings, completed by those of the level above.
    #[must_use]
    pub fn inheriting(&self, above: &Self) -> Self {
        Self {
            strategy: given(self.strategy.as_ref(), above.strategy.as_ref()),
            force_update: self.force_update.or(above.force_update),
            allow_tags: given(self.allow_tags.as_ref(), above.allow_tags.as_ref()),
            ignore_tags: given(self.ignore_tags.as_ref(), above.ignore_tags.as_ref()),
            pull_secret: given(self.pull_secret.as_ref(), above.pull_secret.as_ref()),
            platforms: given(self.platforms.as_ref(), above.platforms.as_ref()),
        }
    }
}

impl WriteBackSettings {
    /// These settings, completed by those of the level above.
    #[must_use]
    pub fn inheriting(&self, above: &Self) -> Self {
        Self {
            method: given(self.method.as_ref(), above.method.as_ref()),
            target: given(self.target.as_ref(), above.target.as_ref()),
        }
    }
}

impl VerificationSettings {
    /// What the levels, the lowest first, say together; `None` where none of them says anything. A block that does not say `enabled`
    /// means true, as a cluster's API server fills it in, so the lowest block decides whether to verify.
    #[must_use]
    pub fn inherited<'a>(levels: impl IntoIterator<Item = Option<&'a Self>>) -> Option<Self> {
        let mut blocks = levels.into_iter().flatten();
        let lowest = blocks.next()?;
        Some(Self {
            enabled: Some(lowest.enabled.unwrap_or(true)),
            cosign_key: std::iter::once(lowest)
                .chain(blocks)
                .find_map(|block| block.cosign_key.clone()),
        })
    }
}

fn given<T: Clone>(own: Option<&T>, above: Option<&T>) -> Option<T> {
    own.or(above).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::image_updater::SecretKeyRef;

    fn settings(strategy: &str) -> UpdateSettings {
        UpdateSettings {
            strategy: Some(strategy.to_owned()),
            ..UpdateSettings::default()
        }
    }

    fn write_back(method: Option<&str>, target: &str) -> WriteBackSettings {
        WriteBackSettings {
            method: method.map(str::to_owned),
            target: Some(target.to_owned()),
        }
    }

    #[test]
    fn each_field_that_is_given_replaces_the_one_above() {
        let above = UpdateSettings {
            force_update: Some(true),
            allow_tags: Some("regexp:^v".to_owned()),
            ignore_tags: Some(vec!["latest".to_owned()]),
            pull_secret: Some("env:TOKEN".to_owned()),
            platforms: Some(vec!["linux/amd64".to_owned()]),
            ..settings("digest")
        };
        assert_eq!(UpdateSettings::default().inheriting(&above), above);

        let own = UpdateSettings {
            force_update: Some(false),
            ignore_tags: Some(Vec::new()),
            ..settings("")
        };
        let merged = own.inheriting(&above);
        assert_eq!(merged.strategy.as_deref(), Some(""));
        assert_eq!(merged.force_update, Some(false));
        assert_eq!(merged.ignore_tags, Some(Vec::new()));
        assert_eq!(merged.allow_tags, above.allow_tags);
        assert_eq!(merged.pull_secret, above.pull_secret);
        assert_eq!(merged.platforms, above.platforms);
    }

    #[test]
    fn a_method_that_is_not_given_is_inherited_and_not_the_default() {
        assert_eq!(
            write_back(None, "helmvalues").inheriting(&write_back(Some("git"), "kustomization")),
            write_back(Some("git"), "helmvalues")
        );
    }

    #[test]
    fn verification_is_inherited_field_by_field_and_only_where_a_block_is() {
        let key = Some(SecretKeyRef {
            secret_name: "cosign".to_owned(),
            key: "cosign.pub".to_owned(),
        });
        let off = Some(VerificationSettings {
            enabled: Some(false),
            cosign_key: None,
        });
        let with_key = Some(VerificationSettings {
            enabled: None,
            cosign_key: key.clone(),
        });
        assert_eq!(VerificationSettings::inherited([None, None, None]), None);
        for above in [None, off.as_ref()] {
            assert_eq!(
                VerificationSettings::inherited([None, with_key.as_ref(), above]),
                Some(VerificationSettings {
                    enabled: Some(true),
                    cosign_key: key.clone(),
                })
            );
        }
        assert_eq!(
            VerificationSettings::inherited([off.as_ref(), None, with_key.as_ref()]),
            Some(VerificationSettings {
                enabled: Some(false),
                cosign_key: key,
            })
        );
    }
}
