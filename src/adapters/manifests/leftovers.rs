//! New texts of files that a process left behind because it was killed before it had put them in their places.

use std::fs;
use std::fs::DirEntry;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::adapters::manifests::replace::PREFIX;
use crate::adapters::manifests::replace::SUFFIX;

/// Removes them from folders. Those from `before` or later may be on their way, and so may those that a process still holds.
pub(super) fn remove<'p>(folders: impl Iterator<Item = &'p Path>, before: SystemTime) {
    for folder in folders {
        // A folder that cannot be read is told of where its manifests are read.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !is_ours(&entry) {
                continue;
            }
            let file = entry.path();
            match remove_file(&file, before) {
                Ok(true) => tracing::info!(file = %file.display(), "removed a file left behind"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "failed to remove a file left behind");
                }
            }
        }
    }
}

fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.as_encoded_bytes();
    let is_named = name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
    is_named && entry.file_type().is_ok_and(|kind| kind.is_file())
}

fn remove_file(path: &Path, before: SystemTime) -> io::Result<bool> {
    let file = match File::options().write(true).open(path) {
        Ok(file) => file,
        // It went away meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Whoever writes one holds its lock, and a lock ends with its process.
    if file.metadata()?.modified()? >= before || file.try_lock().is_err() {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}
