//! The objects of all files together.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::adapters::manifests::contents::Found;
use crate::adapters::manifests::known_file::KnownFile;
use crate::adapters::manifests::problem::Problem;
use crate::domain::resources::Resources;
use crate::domain::resources::resource::ResourceId;

/// How many other places of an object are named.
const MAX_PLACES: usize = 3;

/// Every object that stands in exactly one place.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) resources: Arc<Resources>,
    /// The file of each Application, without symbolic links.
    pub(super) places: HashMap<ResourceId, PathBuf>,
    /// What is wrong with the files and their objects.
    pub(super) problems: Vec<Problem>,
}

/// An object, and the file it stands in.
struct Located<'f, T> {
    found: &'f Found<T>,
    path: &'f Path,
    shown: &'f Path,
}

impl Merged {
    /// Merges the files, by their paths without symbolic links. An object that is equal to one from before is that one.
    pub(super) fn of<'f>(
        files: impl Iterator<Item = (&'f PathBuf, &'f KnownFile)>,
        before: &Arc<Resources>,
    ) -> Self {
        let (mut updaters, mut applications, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (path, file) in files {
            updaters.extend(located(&file.contents.updaters, path, file));
            applications.extend(located(&file.contents.applications, path, file));
            let reports = file.contents.reports.iter();
            problems.extend(reports.map(|report| Problem {
                file: file.shown.clone(),
                line: report.line,
                message: report.message.clone(),
            }));
        }
        let updaters = unique("ImageUpdater", updaters, |one| &one.id, &mut problems);
        let applications = unique("Application", applications, |one| &one.id, &mut problems);
        let places = applications.iter();
        let places = places.map(|one| (one.found.object.id.clone(), one.path.to_owned()));
        let resources = Resources {
            updaters: kept(&updaters, &before.updaters, |one| &one.id),
            applications: kept(&applications, &before.applications, |one| &one.id),
        };
        Self {
            places: places.collect(),
            resources: if same(&resources, before) {
                Arc::clone(before)
            } else {
                Arc::new(resources)
            },
            problems,
        }
    }
}

fn located<'f, T>(
    found: &'f [Found<T>],
    path: &'f Path,
    file: &'f KnownFile,
) -> impl Iterator<Item = Located<'f, T>> {
    found.iter().map(|found| Located {
        found,
        path,
        shown: &file.shown,
    })
}

/// The objects that are the only ones of their name. Which of two counts would be a guess, and so would be which of them to write.
fn unique<'f, T>(
    kind: &str,
    objects: Vec<Located<'f, T>>,
    id: fn(&T) -> &ResourceId,
    problems: &mut Vec<Problem>,
) -> Vec<Located<'f, T>> {
    let mut named: HashMap<ResourceId, Vec<usize>> = HashMap::new();
    for (index, one) in objects.iter().enumerate() {
        let places = named.entry(id(&one.found.object).clone()).or_default();
        places.push(index);
    }
    let place = |one: &Located<'f, T>| format!("{}:{}", one.shown.display(), one.found.line);
    for (index, one) in objects.iter().enumerate() {
        let id = id(&one.found.object);
        let all = named.get(id).map(Vec::as_slice).unwrap_or_default();
        let others = all.iter().filter(|at| **at != index).take(MAX_PLACES);
        let mut others: Vec<_> = others
            .filter_map(|at| objects.get(*at))
            .map(place)
            .collect();
        if all.len() > MAX_PLACES + 1 {
            others.push(format!("{} more", all.len() - 1 - MAX_PLACES));
        }
        if !others.is_empty() {
            problems.push(Problem {
                file: one.shown.to_owned(),
                line: one.found.line,
                message: format!(
                    "{kind} {id} is left out: it stands in {} too; keep one of them",
                    others.join(" and ")
                ),
            });
        }
    }
    let alone = |one: &Located<'f, T>| {
        named
            .get(id(&one.found.object))
            .is_some_and(|places| places.len() == 1)
    };
    objects.into_iter().filter(alone).collect()
}

fn kept<T: PartialEq>(
    now: &[Located<'_, T>],
    before: &[Arc<T>],
    id: fn(&T) -> &ResourceId,
) -> Vec<Arc<T>> {
    let before: HashMap<_, _> = before.iter().map(|one| (id(one), one)).collect();
    let now = now.iter().map(|one| &one.found.object);
    now.map(|object| match before.get(id(object)) {
        Some(old) if ***old == **object => Arc::clone(old),
        Some(_) | None => Arc::clone(object),
    })
    .collect()
}

fn same(one: &Resources, other: &Resources) -> bool {
    let same_updaters = one.updaters.iter().zip(&other.updaters);
    let same_applications = one.applications.iter().zip(&other.applications);
    one.updaters.len() == other.updaters.len()
        && one.applications.len() == other.applications.len()
        && same_updaters.into_iter().all(|(a, b)| Arc::ptr_eq(a, b))
        && same_applications
            .into_iter()
            .all(|(a, b)| Arc::ptr_eq(a, b))
}
