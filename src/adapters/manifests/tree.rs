//! The YAML files of a directory.
//!
//! Hidden files and folders are skipped. Symbolic links are followed as long as they stay in the directory, so that a mounted
//! ConfigMap's `..data` works. A folder is entered through links once, however many lead to it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use walkdir::DirEntry;
use walkdir::WalkDir;

use crate::adapters::manifests::fingerprint::Fingerprint;

/// A file.
#[derive(Debug, Clone)]
pub(super) struct TreeFile {
    /// Its path without symbolic links. A file that is found in two ways is one file.
    pub(super) path: PathBuf,
    /// Its path as the user knows it.
    pub(super) shown: PathBuf,
    pub(super) fingerprint: Fingerprint,
}

/// The files that are there now.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<TreeFile>,
    /// What is left out, and why.
    pub(super) skipped: Vec<(PathBuf, String)>,
    /// What could not be looked into, so that nothing is known of what is below.
    pub(super) unreadable: Vec<PathBuf>,
}

impl Tree {
    /// Looks at every file below a directory.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(dir)?;
        // An unreadable root is an error, an unreadable folder in it is not.
        fs::read_dir(&root)?;
        let mut walk = Walk {
            root,
            tree: Self::default(),
            link: None,
            linked: HashSet::new(),
        };
        let mut entries = WalkDir::new(dir)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) if walk.is_wanted(&entry) => walk.take(dir, &entry),
                Ok(entry) => {
                    if entry.file_type().is_dir() {
                        entries.skip_current_dir();
                    }
                }
                Err(error) => walk.failed(&error),
            }
        }
        Ok(walk.tree)
    }
}

struct Walk {
    root: PathBuf,
    tree: Tree,
    /// The depth of the link to a folder that the walk is below.
    link: Option<usize>,
    /// The folders that were entered through links, without symbolic links. Folders full of links to each other would else be walked in
    /// every order there is.
    linked: HashSet<PathBuf>,
}

impl Walk {
    fn is_wanted(&mut self, entry: &DirEntry) -> bool {
        if entry.depth() == 0 {
            return true;
        }
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return false;
        }
        let is_file = entry.file_type().is_file() && is_yaml(entry.path());
        if !is_file && !entry.file_type().is_dir() {
            return false;
        }
        if !entry.path_is_symlink() {
            return true;
        }
        match fs::canonicalize(entry.path()) {
            Ok(path) if path.starts_with(&self.root) => is_file || self.linked.insert(path),
            Ok(_) | Err(_) => {
                let reason = "it is left out: the symbolic link leads out of the directory";
                self.skip(entry.path(), reason.to_owned());
                false
            }
        }
    }

    fn take(&mut self, dir: &Path, entry: &DirEntry) {
        if self.link.is_some_and(|depth| entry.depth() <= depth) {
            self.link = None;
        }
        let linked = self.link.is_some() || (entry.path_is_symlink() && entry.depth() > 0);
        if entry.file_type().is_dir() {
            if linked && self.link.is_none() {
                self.link = Some(entry.depth());
            }
            return;
        }
        match self.file(dir, entry, linked) {
            Ok(file) => self.tree.files.push(file),
            // It went away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.skip(entry.path(), format!("it cannot be read: {error}")),
        }
    }

    fn file(&self, dir: &Path, entry: &DirEntry, linked: bool) -> io::Result<TreeFile> {
        let shown = entry.path().to_owned();
        let path = match shown.strip_prefix(dir) {
            Ok(relative) if !linked => self.root.join(relative),
            Ok(_) | Err(_) => fs::canonicalize(&shown)?,
        };
        let metadata = entry.metadata().map_err(io::Error::from)?;
        Ok(TreeFile {
            path,
            shown,
            fingerprint: Fingerprint::from(&metadata),
        })
    }

    fn failed(&mut self, error: &walkdir::Error) {
        let Some(path) = error.path() else {
            return;
        };
        let gone = error
            .io_error()
            .is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        // A link in a circle is found on the way round. A link to nothing has no files to tell of.
        if error.loop_ancestor().is_some() || gone {
            return;
        }
        self.skip(path, format!("it cannot be read: {error}"));
        self.tree.unreadable.push(path.to_owned());
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.tree.skipped.push((path.to_owned(), reason));
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}
