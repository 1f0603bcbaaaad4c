//! What each ImageUpdater tracks, in numbers that are kept as things come and go, so that nobody has to count all there is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::hindrance::Hindrance;
use crate::domain::tracking::tracked_image::NoOutlet;
use crate::domain::tracking::tracked_image::TrackedImage;

/// What one ImageUpdater tracks, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The Applications in which it tracks images.
    pub applications: u32,
    /// The images that are live, summed over its Applications.
    pub images: u32,
    /// The Applications whose changes are to be kept in git.
    pub in_git: u32,
    /// The live images that cannot be written where they run, summed over its Applications.
    pub unwritable: u32,
    /// How many images, summed over its Applications, each other ImageUpdater decides instead.
    pub decided_by: BTreeMap<ResourceId, u32>,
}

/// The numbers of all ImageUpdaters.
#[derive(Debug, Default)]
pub struct Tallies {
    by_updater: HashMap<ResourceId, Tally>,
    /// Of which they are others than when this was last asked for.
    touched: BTreeSet<ResourceId>,
}

impl Tallies {
    /// The numbers of an ImageUpdater.
    #[must_use]
    pub fn of(&self, updater: &ResourceId) -> Tally {
        self.by_updater.get(updater).cloned().unwrap_or_default()
    }

    /// Says that an ImageUpdater is to be looked at again, whatever its numbers.
    pub fn touch(&mut self, updater: &ResourceId) {
        self.touched.insert(updater.clone());
    }

    /// The ImageUpdaters of which something is another than when this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<ResourceId> {
        std::mem::take(&mut self.touched)
    }

    /// Counts the images of an Application in the place of those that were tracked in it before.
    pub fn replace(&mut self, before: &[TrackedImage], now: &[TrackedImage]) {
        let (before, now) = (count(before), count(now));
        for (updater, part) in &before {
            if now.get(updater) != Some(part) {
                self.remove(updater, part);
            }
        }
        for (updater, part) in &now {
            if before.get(updater) != Some(part) {
                self.add(updater, part);
            }
        }
    }

    fn add(&mut self, updater: &ResourceId, part: &Tally) {
        self.touch(updater);
        let tally = self.by_updater.entry(updater.clone()).or_default();
        tally.applications += part.applications;
        tally.images += part.images;
        tally.in_git += part.in_git;
        tally.unwritable += part.unwritable;
        for (other, images) in &part.decided_by {
            *tally.decided_by.entry(other.clone()).or_default() += images;
        }
    }

    fn remove(&mut self, updater: &ResourceId, part: &Tally) {
        self.touch(updater);
        let Some(tally) = self.by_updater.get_mut(updater) else {
            return;
        };
        tally.applications -= part.applications;
        tally.images -= part.images;
        tally.in_git -= part.in_git;
        tally.unwritable -= part.unwritable;
        for (other, images) in &part.decided_by {
            if let Some(count) = tally.decided_by.get_mut(other) {
                *count -= images;
            }
        }
        tally.decided_by.retain(|_, count| *count > 0);
        if *tally == Tally::default() {
            self.by_updater.remove(updater);
        }
    }
}

/// What the images of one Application add to the numbers of each ImageUpdater.
fn count(images: &[TrackedImage]) -> BTreeMap<&ResourceId, Tally> {
    let mut parts: BTreeMap<&ResourceId, Tally> = BTreeMap::new();
    for tracked in images {
        let part = parts.entry(&tracked.updater.id).or_default();
        part.applications = 1;
        part.images += u32::from(tracked.live.is_some());
        match &tracked.hindrance {
            Some(Hindrance::Older(other)) => {
                *part.decided_by.entry(other.clone()).or_default() += 1;
            }
            Some(Hindrance::Git) => part.in_git = 1,
            Some(Hindrance::SharedTarget { .. }) => part.unwritable += 1,
            Some(Hindrance::VerificationKey) => {}
            None => part.unwritable += u32::from(lacks_a_place(tracked)),
        }
    }
    parts
}

/// A target that is wrong everywhere was found with the ImageUpdater.
fn lacks_a_place(tracked: &TrackedImage) -> bool {
    tracked.live.is_some() && matches!(tracked.outlet, Err(NoOutlet::Source(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::Application;
    use crate::domain::resources::image_updater::ImageUpdater;
    use crate::domain::testing::application;
    use crate::domain::testing::git_source;
    use crate::domain::testing::helm_source;
    use crate::domain::testing::id;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::live;
    use crate::domain::testing::reference;
    use crate::domain::testing::tracked;
    use crate::domain::testing::updater;

    fn follows(name: &str, images: &[&str]) -> ImageUpdater {
        let images = images.iter().map(|name| image("", name)).collect();
        updater(name, vec![reference("*", images)])
    }

    fn web() -> Application {
        application("web", kustomize_source(&["nginx:1", "redis:1"]))
    }

    fn both() -> Vec<TrackedImage> {
        let updaters = vec![
            follows("a", &["nginx", "busybox"]),
            follows("b", &["nginx", "redis"]),
        ];
        tracked(web(), updaters).0
    }

    fn touched(tallies: &mut Tallies) -> Vec<String> {
        let touched = tallies.take_touched().into_iter();
        touched.map(|updater| updater.name).collect()
    }

    #[test]
    fn it_counts_what_comes_and_goes() {
        let mut tallies = Tallies::default();
        tallies.replace(&[], &both());
        tallies.replace(&[], &both());
        assert_eq!(touched(&mut tallies), ["a", "b"]);
        let a = Tally {
            applications: 2,
            images: 2,
            ..Tally::default()
        };
        assert_eq!(tallies.of(&id("a")), a);
        let b = Tally {
            applications: 2,
            images: 4,
            decided_by: BTreeMap::from([(id("a"), 2)]),
            ..Tally::default()
        };
        assert_eq!(tallies.of(&id("b")), b);
        for _ in 0..2 {
            tallies.replace(&both(), &[]);
        }
        assert_eq!(tallies.of(&id("b")), Tally::default());
        assert!(tallies.by_updater.is_empty());
    }

    #[test]
    fn only_those_are_touched_whose_numbers_change() {
        let mut tallies = Tallies::default();
        tallies.replace(&[], &both());
        tallies.take_touched();
        tallies.replace(&both(), &both());
        assert_eq!(touched(&mut tallies), [""; 0]);
        // Redis is gone from the Application, which is nothing to the one that does not track it.
        let without = application("web", kustomize_source(&["nginx:1"]));
        let updaters = vec![
            follows("a", &["nginx", "busybox"]),
            follows("b", &["nginx", "redis"]),
        ];
        tallies.replace(&both(), &tracked(without, updaters).0);
        assert_eq!(touched(&mut tallies), ["b"]);
    }

    #[test]
    fn what_cannot_be_written_is_counted_where_it_runs() {
        let count = |application: Application| {
            let mut tallies = Tallies::default();
            let images = tracked(application, vec![follows("a", &["nginx", "redis"])]).0;
            tallies.replace(&[], &images);
            tallies.of(&id("a")).unwritable
        };
        let running = |source, images: &[&str]| {
            let mut application = application("web", source);
            application.status = Some(live(images));
            application
        };
        assert_eq!(count(running(git_source(), &["nginx:1"])), 1);
        assert_eq!(count(running(git_source(), &["busybox:1"])), 0);
        // Both are written to one parameter.
        let both = ["nginx:1", "redis:1"];
        assert_eq!(count(running(helm_source(&[]), &both)), 2);
    }

    #[test]
    fn what_is_kept_in_git_is_counted_by_application() {
        let mut git = follows("a", &["nginx", "redis"]);
        git.write_back.method = Some("git".to_owned());
        let mut tallies = Tallies::default();
        tallies.replace(&[], &tracked(web(), vec![git]).0);
        assert_eq!(tallies.of(&id("a")).in_git, 1);
    }
}
