//! From an image to everything that tracks it, so that an event costs what it affects and not what exists.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::reference::ImageName;
use crate::domain::registry::default_registry::DefaultRegistry;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::problem::Problem;
use crate::domain::resources::problem::Severity;
use crate::domain::resources::resource::ResourceId;
use crate::domain::tracking::application_images::application_images;
use crate::domain::tracking::assessment::Assessment;
use crate::domain::tracking::problem_ledger::ProblemLedger;
use crate::domain::tracking::tally::Tallies;
use crate::domain::tracking::tracked_image::TrackedImage;
use crate::domain::tracking::updater_rules::UpdaterRules;

/// All tracked images, by image.
#[derive(Debug, Default)]
pub struct Index {
    /// By namespace, the one that decides first.
    updaters: HashMap<String, Vec<UpdaterRules>>,
    applications: HashMap<ResourceId, Entry>,
    /// The Applications that track an image, by namespace and name. Most images are one Application's, for which a set of a tree takes ten times
    /// the room.
    trackers: HashMap<ImageName, Vec<ResourceId>>,
    ledger: ProblemLedger,
    tallies: Tallies,
    /// The ImageUpdaters that ask for something else than when this was last taken.
    edited: BTreeSet<ResourceId>,
    /// The Applications as they were listed last.
    listed: Vec<Arc<Application>>,
    /// The registry that has names without one.
    default: Arc<DefaultRegistry>,
}

/// What is known of an Application.
#[derive(Debug)]
struct Entry {
    application: Arc<Application>,
    images: Vec<TrackedImage>,
    problems: Vec<Problem>,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which registry has names without one, and answers the problems that were not there before. Where it was another one, all Applications
    /// are looked at anew.
    pub fn set_default(&mut self, default: &DefaultRegistry) -> Vec<Problem> {
        if *self.default == *default {
            return Vec::new();
        }
        self.default = Arc::new(default.clone());
        let entries = self.applications.values();
        let applications: Vec<_> = entries
            .map(|entry| Arc::clone(&entry.application))
            .collect();
        applications
            .iter()
            .flat_map(|application| self.look_at(application))
            .collect()
    }

    /// Brings it up to date, and answers the problems that were not there before. It looks only at Applications that are another object
    /// than before, and at those of a namespace in which an ImageUpdater is.
    pub fn refresh(&mut self, resources: &Resources) -> Vec<Problem> {
        let mut problems = Vec::new();
        let changed = self.refresh_updaters(&resources.updaters, &mut problems);
        let is_affected = |application: &Application| changed.contains(&application.id.namespace);
        let before = std::mem::replace(&mut self.listed, resources.applications.clone());
        let (before, now) = differing(&before, &resources.applications);
        for application in now {
            if !is_affected(application) && !self.is_known(application) {
                problems.extend(self.look_at(application));
            }
        }
        if !changed.is_empty() {
            for application in &resources.applications {
                if is_affected(application) {
                    problems.extend(self.look_at(application));
                }
            }
        }
        let now: HashSet<_> = now.iter().map(|application| &application.id).collect();
        for application in before {
            if !now.contains(&application.id) {
                self.forget(&application.id);
            }
        }
        problems
    }

    /// Everything that tracks an image, in the order of the Applications' names.
    pub fn tracked(&self, image: &ImageName) -> impl Iterator<Item = &TrackedImage> {
        self.trackers
            .get(image)
            .into_iter()
            .flatten()
            .filter_map(|id| self.applications.get(id))
            .flat_map(|entry| &entry.images)
            .filter(move |tracked| tracked.asked() == *image)
    }

    /// The ImageUpdaters that are new or ask for something else since this was last taken.
    pub fn take_edited(&mut self) -> BTreeSet<ResourceId> {
        std::mem::take(&mut self.edited)
    }

    /// The images that are live and might be changed where they are tracked, all of them or those that one ImageUpdater tracks.
    #[must_use]
    pub fn images(&self, updater: Option<&ResourceId>) -> BTreeSet<ImageName> {
        let entries = self.applications.values();
        let tracked = entries.flat_map(|entry| &entry.images);
        tracked
            .filter(|tracked| tracked.live.is_some() && tracked.hindrance.is_none())
            .filter(|tracked| updater.is_none_or(|updater| tracked.updater.id == *updater))
            .map(TrackedImage::asked)
            .collect()
    }

    /// What there is to say about an ImageUpdater; nothing where it is not known.
    #[must_use]
    pub fn assess(&self, updater: &ResourceId) -> Option<Assessment> {
        let mut rules = self.updaters.get(&updater.namespace)?.iter();
        let rules = rules.find(|rules| rules.updater().id == *updater)?;
        let tally = self.tallies.of(updater);
        let problems = rules.problems().iter();
        Some(Assessment {
            generation: rules.generation(),
            asks_for_git: rules.ask_for_git() || tally.in_git > 0,
            tally,
            errors: problems
                .filter(|problem| problem.severity == Severity::Error)
                .map(|problem| problem.message.clone())
                .collect(),
            is_unusable: rules.are_unusable(),
        })
    }

    /// The ImageUpdaters of which there is something else to say than when this was last asked, and those that are gone.
    pub fn take_touched(&mut self) -> BTreeSet<ResourceId> {
        self.tallies.take_touched()
    }

    /// Reads the ImageUpdaters that are new, and answers the namespaces in which something changed.
    fn refresh_updaters(
        &mut self,
        updaters: &[Arc<ImageUpdater>],
        problems: &mut Vec<Problem>,
    ) -> HashSet<String> {
        let mut now: HashMap<String, Vec<&Arc<ImageUpdater>>> = self
            .updaters
            .keys()
            .map(|namespace| (namespace.clone(), Vec::new()))
            .collect();
        for updater in updaters {
            now.entry(updater.id.namespace.clone())
                .or_default()
                .push(updater);
        }
        now.retain(|namespace, updaters| {
            oldest_first(updaters);
            !self.take_up(namespace, updaters)
        });
        now.into_iter()
            .map(|(namespace, updaters)| {
                problems.extend(self.read_updaters(&namespace, &updaters));
                namespace
            })
            .collect()
    }

    /// Takes up the ImageUpdaters of a namespace as they are now, where all of them ask for the same as before. Says whether they do.
    fn take_up(&mut self, namespace: &str, updaters: &[&Arc<ImageUpdater>]) -> bool {
        let before = self.updaters.get_mut(namespace);
        let before = before.map_or(&mut [][..], Vec::as_mut_slice);
        let is_same = before.len() == updaters.len()
            && before
                .iter()
                .zip(updaters)
                .all(|(rules, updater)| rules.are_of(updater));
        if is_same {
            for (rules, updater) in before.iter_mut().zip(updaters) {
                if rules.take_up(updater) {
                    self.tallies.touch(&updater.id);
                }
            }
        }
        is_same
    }

    /// Reads a namespace's ImageUpdaters, those that ask for something else than before, and answers the new problems.
    fn read_updaters(&mut self, namespace: &str, updaters: &[&Arc<ImageUpdater>]) -> Vec<Problem> {
        let before = self.updaters.remove(namespace).unwrap_or_default();
        let mut rules = Vec::new();
        for updater in updaters {
            let known = before.iter().find(|rules| rules.are_of(updater));
            let mut read = known
                .cloned()
                .unwrap_or_else(|| UpdaterRules::read(Arc::clone(updater)));
            if known.is_none() {
                self.edited.insert(updater.id.clone());
            }
            if read.take_up(updater) || known.is_none() {
                self.tallies.touch(&updater.id);
            }
            rules.push(read);
        }
        for gone in &before {
            let id = &gone.updater().id;
            if !updaters.iter().any(|updater| updater.id == *id) {
                self.tallies.touch(id);
            }
        }
        let problems = self.ledger.replace(&all(&before), &all(&rules));
        if !rules.is_empty() {
            self.updaters.insert(namespace.to_owned(), rules);
        }
        problems
    }

    fn is_known(&self, application: &Arc<Application>) -> bool {
        self.applications
            .get(&application.id)
            .is_some_and(|entry| Arc::ptr_eq(&entry.application, application))
    }

    /// Finds out what is tracked in an Application, and answers the new problems.
    fn look_at(&mut self, application: &Arc<Application>) -> Vec<Problem> {
        let updaters = self.updaters.get(&application.id.namespace);
        let updaters = updaters.map_or(&[][..], Vec::as_slice);
        let (images, problems) = application_images(application, updaters, &self.default);
        for tracked in &images {
            let name = tracked.asked();
            let trackers = self.trackers.entry(name);
            let trackers = trackers.or_insert_with(|| Vec::with_capacity(1));
            if let Err(place) = trackers.binary_search(&application.id) {
                trackers.insert(place, application.id.clone());
            }
        }
        let entry = Entry {
            application: Arc::clone(application),
            images,
            problems,
        };
        let before = self.applications.insert(application.id.clone(), entry);
        let (images, old) =
            before.map_or_else(Default::default, |entry| (entry.images, entry.problems));
        self.unlink(&application.id, &images);
        let new = self.applications.get(&application.id);
        let tracked = new.map_or(&[][..], |entry| entry.images.as_slice());
        self.tallies.replace(&images, tracked);
        self.ledger
            .replace(&old, new.map_or(&[], |entry| entry.problems.as_slice()))
    }

    /// Forgets that an Application tracks images, as far as it does not track them now.
    fn unlink(&mut self, application: &ResourceId, before: &[TrackedImage]) {
        let now = self.applications.get(application);
        for tracked in before {
            let name = tracked.asked();
            let still = now
                .into_iter()
                .flat_map(|entry| &entry.images)
                .any(|tracked| tracked.asked() == name);
            if !still && let Some(trackers) = self.trackers.get_mut(&name) {
                if let Ok(place) = trackers.binary_search(application) {
                    trackers.remove(place);
                }
                if trackers.is_empty() {
                    self.trackers.remove(&name);
                }
            }
        }
    }

    fn forget(&mut self, application: &ResourceId) {
        if let Some(entry) = self.applications.remove(application) {
            self.unlink(application, &entry.images);
            self.tallies.replace(&entry.images, &[]);
            self.ledger.remove(&entry.problems);
        }
    }
}

/// What differs between two lists: both without what they have in common at the beginning and at the end. One object that comes, goes or
/// is replaced costs comparing pointers, and no more.
fn differing<'l, T>(before: &'l [Arc<T>], now: &'l [Arc<T>]) -> (&'l [Arc<T>], &'l [Arc<T>]) {
    let same = |(before, now): &(&Arc<T>, &Arc<T>)| Arc::ptr_eq(before, now);
    let start = before.iter().zip(now).take_while(same).count();
    let before = before.get(start..).unwrap_or_default();
    let now = now.get(start..).unwrap_or_default();
    let end = before
        .iter()
        .rev()
        .zip(now.iter().rev())
        .take_while(same)
        .count();
    let without_end = |list: &'l [Arc<T>]| list.get(..list.len() - end).unwrap_or_default();
    (without_end(before), without_end(now))
}

/// Sorts by who decides: the oldest, those that have no age after those that have one, and by name.
fn oldest_first(updaters: &mut [&Arc<ImageUpdater>]) {
    updaters.sort_by_key(|updater| (updater.created.is_none(), &updater.created, &updater.id));
}

fn all(rules: &[UpdaterRules]) -> Vec<Problem> {
    rules
        .iter()
        .flat_map(|rules| rules.problems().iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::Source;
    use crate::domain::testing::annotations;
    use crate::domain::testing::application;
    use crate::domain::testing::default_registry;
    use crate::domain::testing::id;
    use crate::domain::testing::image;
    use crate::domain::testing::kustomize_source;
    use crate::domain::testing::reference;
    use crate::domain::testing::updater;

    fn nginx(name: &str) -> Arc<Application> {
        Arc::new(application(name, kustomize_source(&["nginx:1"])))
    }

    fn follows(name: &str, image_name: &str) -> Arc<ImageUpdater> {
        Arc::new(updater(
            name,
            vec![reference("*", vec![image("", image_name)])],
        ))
    }

    fn resources(updaters: &[&Arc<ImageUpdater>], applications: &[&Arc<Application>]) -> Resources {
        Resources {
            updaters: updaters.iter().copied().cloned().collect(),
            applications: applications.iter().copied().cloned().collect(),
        }
    }

    fn trackers(index: &Index, image: &str) -> Vec<String> {
        index
            .tracked(&ImageName::parse(image).unwrap())
            .map(|tracked| tracked.application.id.name.clone())
            .collect()
    }

    #[test]
    fn it_follows_applications_and_updaters_as_they_come_and_go() {
        let mut index = Index::new();
        let (a, b) = (nginx("a"), nginx("b"));
        let on_nginx = follows("u", "nginx");
        assert_eq!(index.refresh(&resources(&[&on_nginx], &[&b, &a])), []);
        assert_eq!(trackers(&index, "docker.io/nginx"), ["a", "b"]);
        assert_eq!(trackers(&index, "redis"), [""; 0]);

        index.refresh(&resources(&[&on_nginx], &[&b]));
        assert_eq!(trackers(&index, "nginx"), ["b"]);

        let on_redis = follows("u", "redis");
        index.refresh(&resources(&[&on_redis], &[&b, &a]));
        assert_eq!(trackers(&index, "nginx"), [""; 0]);
        assert_eq!(trackers(&index, "redis"), ["a", "b"]);

        index.refresh(&resources(&[], &[&b, &a]));
        assert_eq!(trackers(&index, "redis"), [""; 0]);
        assert!(index.trackers.is_empty() && index.updaters.is_empty());
    }

    #[test]
    fn a_bare_name_is_tracked_in_the_registry_that_has_it() {
        let harbor = default_registry("harbor.acme.example", Some("proxy"));
        let proxied = "harbor.acme.example/proxy/nginx";
        let (bare, full, hub) = (nginx("bare"), nginx("full"), nginx("hub"));
        let only = |name: &str, image_name: &str| {
            let images = vec![image("", image_name)];
            Arc::new(updater(name, vec![reference(name, images)]))
        };
        let updaters = [
            only("bare", "nginx"),
            only("full", proxied),
            only("hub", "docker.io/nginx"),
        ];
        let all = resources(&updaters.each_ref(), &[&bare, &full, &hub]);
        let mut index = Index::new();
        index.refresh(&all);
        assert_eq!(trackers(&index, "nginx"), ["bare", "hub"]);
        assert_eq!(trackers(&index, proxied), ["full"]);

        assert_eq!(index.set_default(&harbor), []);
        assert_eq!(trackers(&index, "nginx"), ["hub"]);
        assert_eq!(trackers(&index, proxied), ["bare", "full"]);

        let later = resources(&updaters.each_ref(), &[&full, &hub]);
        index.refresh(&later);
        assert_eq!(trackers(&index, proxied), ["full"]);
        index.refresh(&all);
        assert_eq!(trackers(&index, proxied), ["bare", "full"]);

        index.set_default(&DefaultRegistry::default());
        assert_eq!(trackers(&index, "nginx"), ["bare", "hub"]);
        index.refresh(&resources(&[], &[]));
        assert!(index.trackers.is_empty() && index.applications.is_empty());
    }

    #[test]
    fn an_updater_takes_only_applications_of_its_namespace() {
        let mut elsewhere = application("web", kustomize_source(&["nginx:1"]));
        elsewhere.id.namespace = "other".to_owned();
        let mut index = Index::new();
        index.refresh(&resources(
            &[&follows("u", "nginx")],
            &[&Arc::new(elsewhere)],
        ));
        assert_eq!(trackers(&index, "nginx"), [""; 0]);
    }

    /// The rule of an annotated Application is made when it is looked at, so the same rule means that it was not looked at again.
    #[test]
    fn it_looks_only_at_what_changed() {
        let annotated = |name| {
            let mut application = application(name, Source::default());
            application.annotations = annotations(&[("image-list", "nginx")]);
            Arc::new(application)
        };
        let by_annotations = |name: &str, namespace: &str| {
            let mut all = reference("*", Vec::new());
            all.use_annotations = true;
            let mut updater = updater(name, vec![all]);
            updater.id.namespace = namespace.to_owned();
            Arc::new(updater)
        };
        let rules = |index: &Index| {
            let name = ImageName::parse("nginx").unwrap();
            index
                .tracked(&name)
                .map(|tracked| Arc::clone(&tracked.rule))
                .collect::<Vec<_>>()
        };
        let same = |one: &[Arc<_>], other: &[Arc<_>]| {
            one.iter()
                .zip(other)
                .map(|(one, other)| Arc::ptr_eq(one, other))
                .collect::<Vec<_>>()
        };
        let (a, b) = (annotated("a"), annotated("b"));
        let mut index = Index::new();
        let own = by_annotations("u", "argocd");
        index.refresh(&resources(&[&own], &[&a, &b]));
        let first = rules(&index);

        let (b, elsewhere) = (annotated("b"), by_annotations("u", "other"));
        index.refresh(&resources(&[&elsewhere, &own], &[&b, &a]));
        let second = rules(&index);
        assert_eq!(same(&first, &second), [true, false]);

        index.refresh(&resources(&[&by_annotations("v", "argocd")], &[&b, &a]));
        assert_eq!(same(&second, &rules(&index)), [false, false]);
    }

    #[test]
    fn the_older_updater_decides_whatever_the_order() {
        let created = |name: &str, created: Option<&str>| {
            let mut updater = ImageUpdater::clone(&follows(name, "nginx"));
            updater.created = created.map(str::to_owned);
            Arc::new(updater)
        };
        let young = created("a", Some("2026-05-01T00:00:00Z"));
        let old = created("b", Some("2025-05-01T00:00:00Z"));
        let ageless = created("c", None);
        let web = nginx("web");
        for updaters in [[&young, &old, &ageless], [&ageless, &old, &young]] {
            let mut index = Index::new();
            let problems = index.refresh(&resources(&updaters, &[&web]));
            assert_eq!(problems.len(), 2);
            let name = ImageName::parse("nginx").unwrap();
            let deciding: Vec<_> = index
                .tracked(&name)
                .filter(|tracked| tracked.hindrance.is_none())
                .map(|tracked| &tracked.updater.id)
                .collect();
            assert_eq!(deciding, [&id("b")]);
        }
    }

    /// Where it was looked at again, its tracked images share another rule: see above.
    #[test]
    fn an_updater_that_differs_in_its_status_alone_is_no_news() {
        let web = {
            let mut application = application("web", Source::default());
            application.annotations = annotations(&[("image-list", "nginx")]);
            Arc::new(application)
        };
        let own = {
            let mut all = reference("*", Vec::new());
            all.use_annotations = true;
            updater("u", vec![all])
        };
        let changed = |change: &dyn Fn(&mut ImageUpdater)| {
            let mut updater = own.clone();
            change(&mut updater);
            Arc::new(updater)
        };
        let rule = |index: &Index| {
            let name = ImageName::parse("nginx").unwrap();
            Arc::clone(&index.tracked(&name).next().unwrap().rule)
        };
        let mut index = Index::new();
        index.refresh(&resources(&[&Arc::new(own.clone())], &[&web]));
        assert_eq!(index.take_touched(), BTreeSet::from([id("u")]));

        let checked = changed(&|updater| updater.status.images_managed = Some(7));
        index.refresh(&resources(&[&checked], &[&web]));
        assert_eq!(index.take_touched(), BTreeSet::new());
        let edited = changed(&|updater| updater.generation = Some(2));
        // Beside one that comes, too.
        index.refresh(&resources(&[&edited, &follows("v", "redis")], &[&web]));
        assert_eq!(index.take_touched(), BTreeSet::from([id("u"), id("v")]));
        assert_eq!(index.assess(&id("u")).unwrap().generation, Some(2));
        index.refresh(&resources(&[&edited], &[&web]));
        index.take_touched();

        let before = rule(&index);
        let again = changed(&|updater| updater.generation = Some(3));
        index.refresh(&resources(&[&again], &[&web]));
        assert_eq!(index.take_touched(), BTreeSet::from([id("u")]));
        assert!(Arc::ptr_eq(&before, &rule(&index)));
    }

    #[test]
    fn what_there_is_to_say_of_an_updater() {
        let mut index = Index::new();
        let (a, b) = (nginx("a"), nginx("b"));
        let mut git = updater(
            "git",
            vec![reference(
                "b",
                vec![image("", "redis"), image("", "no image")],
            )],
        );
        git.write_back.method = Some("git".to_owned());
        let broken = updater("broken", vec![reference("[", vec![image("", "nginx")])]);
        let (git, broken) = (Arc::new(git), Arc::new(broken));
        let all = [&follows("all", "nginx"), &broken, &git];
        index.refresh(&resources(&all, &[&a, &b]));
        let assess = |name: &str| index.assess(&id(name)).unwrap();
        assert_eq!(assess("all").tally.applications, 2);
        assert_eq!(assess("all").tally.images, 2);
        assert_eq!(assess("all").errors, [""; 0]);
        assert!(assess("broken").is_unusable && assess("broken").errors.len() == 1);
        assert!(assess("git").asks_for_git && assess("git").errors.len() == 1);
        assert!(!assess("git").is_unusable);
        assert_eq!(index.assess(&id("none")), None);
        index.take_touched();

        index.refresh(&resources(&all, &[&a]));
        assert_eq!(index.take_touched(), BTreeSet::from([id("all"), id("git")]));
        index.refresh(&resources(&[&broken], &[&a]));
        assert_eq!(index.take_touched(), BTreeSet::from([id("all"), id("git")]));
        assert_eq!(index.assess(&id("all")), None);
    }

    #[test]
    fn a_problem_is_told_once_for_as_long_as_it_lasts() {
        let mut index = Index::new();
        let broken = follows("u", "not an image");
        let (a, b) = (nginx("a"), nginx("b"));
        let first = index.refresh(&resources(&[&broken], &[&a]));
        assert_eq!(first.len(), 1);
        // Neither another Application nor the same mistake in a new object is news.
        assert_eq!(index.refresh(&resources(&[&broken], &[&a, &b])), []);
        let again = follows("u", "not an image");
        assert_eq!(index.refresh(&resources(&[&again], &[&a, &b])), []);
        index.refresh(&resources(&[&follows("u", "nginx")], &[&a, &b]));
        assert_eq!(index.refresh(&resources(&[&broken], &[&a, &b])), first);
    }

    #[test]
    fn a_bad_updater_stops_no_other() {
        let mut index = Index::new();
        let broken = Arc::new(updater("a", vec![reference("[", vec![image("", "nginx")])]));
        let problems = index.refresh(&resources(
            &[&broken, &follows("b", "nginx")],
            &[&nginx("web")],
        ));
        assert_eq!(problems.len(), 1);
        assert_eq!(trackers(&index, "nginx"), ["web"]);
    }

    #[test]
    fn what_differs_between_lists() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(Arc::new);
        let list =
            |items: &[&Arc<&'static str>]| items.iter().copied().cloned().collect::<Vec<_>>();
        for (before, now, gone, new) in [
            (&[][..], &[&a][..], &[][..], &["a"][..]),
            (&[&a, &b], &[&a, &b], &[], &[]),
            (&[&a, &b, &c], &[&a, &d, &c], &["b"], &["d"]),
            (&[&a, &b, &c], &[&a, &c], &["b"], &[]),
            (&[&a, &c], &[&a, &b, &c], &[], &["b"]),
            (&[&a, &a], &[&a], &["a"], &[]),
            (&[&a, &b], &[&b, &a], &["a", "b"], &["b", "a"]),
            (&[&a], &[], &["a"], &[]),
        ] {
            let (before, now) = (list(before), list(now));
            let (old, changed) = differing(&before, &now);
            let texts =
                |list: &[Arc<&'static str>]| list.iter().map(|text| **text).collect::<Vec<_>>();
            assert_eq!((texts(old), texts(changed)), (gone.to_vec(), new.to_vec()));
        }
    }
}
