//! What was done for one ImageUpdater.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::domain::change::ImageChange;
use crate::domain::resources::image_updater_status::RecentUpdate;
use crate::domain::resources::resource::ResourceId;

/// What was done for one ImageUpdater since its status was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it was done.
    pub at: SystemTime,
    /// What was written, each image in each Application, in order.
    pub changes: Vec<(ResourceId, ImageChange)>,
    /// Whether registries were looked at for it, which is told even where nothing came of it.
    pub is_check: bool,
}

/// An image that could not be written into an Application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The Application.
    pub application: ResourceId,
    /// Why, and what to do about it.
    pub reason: String,
}

impl Run {
    /// The changes as `recentUpdates` shows them: the same version of the same image in several Applications is one.
    #[must_use]
    pub fn updates(&self) -> Vec<RecentUpdate> {
        let mut updates: Vec<(RecentUpdate, BTreeSet<&ResourceId>)> = Vec::new();
        for (application, change) in &self.changes {
            let update = self.update(change);
            let mut known = updates.iter_mut();
            match known.find(|(known, _)| is_same(known, &update)) {
                Some((_, applications)) => _ = applications.insert(application),
                None => updates.push((update, BTreeSet::from([application]))),
            }
        }
        let counted = |(update, applications): (RecentUpdate, BTreeSet<_>)| RecentUpdate {
            applications_updated: u32::try_from(applications.len()).unwrap_or(u32::MAX),
            ..update
        };
        updates.into_iter().map(counted).collect()
    }

    fn update(&self, change: &ImageChange) -> RecentUpdate {
        let name = if change.alias.is_empty() {
            &change.image
        } else {
            &change.alias
        };
        let (old, new) = (&change.old, &change.new);
        RecentUpdate {
            alias: name.clone(),
            image: change.image.clone(),
            new_version: digest_or_tag(new).to_owned(),
            applications_updated: 0,
            updated_at: self.at,
            message: if old.is_empty() {
                format!("Updated to {new}.")
            } else {
                format!("Updated from {old} to {new}.")
            },
        }
    }
}

fn is_same(one: &RecentUpdate, other: &RecentUpdate) -> bool {
    one.alias == other.alias && one.new_version == other.new_version
}

/// Of `tag@digest` the digest: it is what runs.
fn digest_or_tag(version: &str) -> &str {
    version
        .split_once('@')
        .map_or(version, |(_, digest)| digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::id;

    fn change(alias: &str, old: &str, new: &str) -> ImageChange {
        ImageChange {
            updater: id("u"),
            alias: alias.to_owned(),
            image: "ghcr.io/acme/web".to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
            remark: None,
        }
    }

    #[test]
    fn one_version_of_an_image_in_many_applications_is_one_update() {
        let run = Run {
            at: SystemTime::UNIX_EPOCH,
            changes: vec![
                (id("b"), change("web", "1", "2")),
                (id("a"), change("web", "1.5", "2")),
                (id("a"), change("web", "1.5", "2")),
                (id("a"), change("web", "1", "3")),
                (id("a"), change("", "", "latest@sha256:00")),
            ],
            is_check: false,
        };
        let shown: Vec<_> = run
            .updates()
            .into_iter()
            .map(|update| {
                let (count, message) = (update.applications_updated, update.message);
                (update.alias, update.new_version, count, message)
            })
            .collect();
        let expected = [
            ("web", "2", 2, "Updated from 1 to 2."),
            ("web", "3", 1, "Updated from 1 to 3."),
            (
                "ghcr.io/acme/web",
                "sha256:00",
                1,
                "Updated to latest@sha256:00.",
            ),
        ]
        .map(|(alias, version, count, message)| {
            let text = str::to_owned;
            (text(alias), text(version), count, text(message))
        });
        assert_eq!(shown, expected);
    }
}
