//! What is known of the directory.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::adapters::manifests::fingerprint::Fingerprint;
use crate::adapters::manifests::known_file::KnownFile;
use crate::adapters::manifests::merged::Merged;
use crate::adapters::manifests::problem;
use crate::adapters::manifests::problem::Problem;
use crate::adapters::manifests::tree::Tree;
use crate::adapters::manifests::tree::TreeFile;
use crate::domain::resources::Resources;
use crate::domain::resources::resource::ResourceId;

/// The files of a directory and what they hold.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) dir: PathBuf,
    pub(super) default_namespace: String,
    /// By their paths without symbolic links.
    files: BTreeMap<PathBuf, KnownFile>,
    /// What the last look at the directory found that cannot be read.
    unread: Vec<Problem>,
    merged: Merged,
    problems: BTreeSet<Problem>,
}

impl Store {
    pub(super) fn new(dir: PathBuf, default_namespace: String) -> Self {
        Self {
            dir,
            default_namespace,
            files: BTreeMap::new(),
            unread: Vec::new(),
            merged: Merged::default(),
            problems: BTreeSet::new(),
        }
    }

    pub(super) fn resources(&self) -> &Arc<Resources> {
        &self.merged.resources
    }

    pub(super) fn problems(&self) -> &BTreeSet<Problem> {
        &self.problems
    }

    /// The file that an Application stands in, without symbolic links.
    pub(super) fn place_of(&self, application: &ResourceId) -> Option<&Path> {
        self.merged.places.get(application).map(PathBuf::as_path)
    }

    /// The folders of all files, without symbolic links.
    pub(super) fn folders(&self) -> BTreeSet<&Path> {
        self.files.keys().filter_map(|path| path.parent()).collect()
    }

    /// Reads what changed. What cannot be looked into is taken to be as it was.
    ///
    /// # Errors
    /// The directory itself cannot be read.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        let tree = match Tree::of(&self.dir) {
            Ok(tree) => tree,
            Err(error) => {
                self.unread = vec![Problem::of_file(&self.dir, cannot_read(&error))];
                self.settle(false);
                return Err(error);
            }
        };
        let skipped = tree.skipped.iter();
        self.unread = skipped
            .map(|(path, reason)| Problem::of_file(path, reason))
            .collect();
        let mut known = std::mem::take(&mut self.files);
        let mut changed = false;
        for file in tree.files {
            let path = file.path.clone();
            if self.files.contains_key(&path) {
                continue;
            }
            let old = known.remove(&path).unwrap_or_default();
            changed |= self.update(old, &file);
        }
        for (path, old) in known {
            let mut unreadable = tree.unreadable.iter();
            if unreadable.any(|folder| old.shown.starts_with(folder)) {
                self.files.insert(path, old);
            } else {
                changed = true;
            }
        }
        self.settle(changed);
        Ok(())
    }

    /// Reads files that were just written.
    pub(super) fn refresh_files<'p>(
        &mut self,
        paths: impl Iterator<Item = &'p Path>,
    ) -> io::Result<()> {
        let mut changed = false;
        for path in paths {
            let fingerprint = Fingerprint::from(&fs::metadata(path)?);
            let known = self.files.remove(path).unwrap_or_default();
            let file = TreeFile {
                path: path.to_owned(),
                shown: known.shown.clone(),
                fingerprint,
            };
            changed |= self.update(known, &file);
        }
        self.settle(changed);
        Ok(())
    }

    /// Brings a file up to date, and says whether what it holds may be something else now.
    fn update(&mut self, mut known: KnownFile, file: &TreeFile) -> bool {
        let changed = match known.update(file, &self.default_namespace) {
            Ok(changed) => changed,
            // It went away since it was seen.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return true,
            Err(error) => {
                self.unread
                    .push(Problem::of_file(&file.shown, cannot_read(&error)));
                false
            }
        };
        self.files.insert(file.path.clone(), known);
        changed
    }

    fn settle(&mut self, changed: bool) {
        if changed {
            self.merged = Merged::of(self.files.iter(), &self.merged.resources);
        }
        let problems = self.merged.problems.iter().chain(&self.unread);
        let problems = problems.cloned().collect();
        problem::log_changes(&self.problems, &problems);
        self.problems = problems;
    }
}

fn cannot_read(error: &io::Error) -> String {
    format!("it cannot be read, and what was known of it stays: {error}")
}
