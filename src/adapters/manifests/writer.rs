//! Writing changes into the files that their Applications stand in.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::thread;

use crate::adapters::manifests::fingerprint::Fingerprint;
use crate::adapters::manifests::known_file;
use crate::adapters::manifests::replace;
use crate::adapters::manifests::replace::ReplaceError;
use crate::adapters::manifests::splice;
use crate::adapters::manifests::splice::SpliceError;
use crate::adapters::manifests::store::Store;
use crate::domain::change::ApplicationChange;
use crate::ports::update_trigger::TriggerError;

/// How many files are written at once. Most of the time goes into waiting for the disk.
const WRITERS: usize = 8;

/// What became of each of several changes.
type Results = Vec<Result<(), TriggerError>>;

/// Changes of Applications that stand in one file, each with its number.
type FileChanges<'c> = Vec<(usize, &'c ApplicationChange)>;

/// Writes changes. Whatever comes of them, the store knows the files as they are afterwards.
pub(super) fn apply(store: &mut Store, changes: &[ApplicationChange]) -> Results {
    let numbered = changes.iter().enumerate();
    let mut results = vec![Err(TriggerError::Gone); changes.len()];
    apply_once(store, numbered.clone(), &mut results);
    let is_out_of_date =
        |result: &_| matches!(result, Err(TriggerError::Gone | TriggerError::Moved { .. }));
    if !results.iter().any(is_out_of_date) {
        return results;
    }
    if let Err(error) = store.refresh() {
        let error = failed(&error, "read", &store.dir);
        let stale = results.iter_mut().filter(|result| is_out_of_date(result));
        stale.for_each(|result| *result = Err(error.clone()));
        return results;
    }
    // An Application that is gone from its file may stand elsewhere by now.
    let again = numbered.zip(results.clone());
    let gone = again.filter(|(_, result)| *result == Err(TriggerError::Gone));
    apply_once(store, gone.map(|(change, _)| change), &mut results);
    results
}

fn apply_once<'c>(
    store: &mut Store,
    changes: impl Iterator<Item = (usize, &'c ApplicationChange)>,
    results: &mut Results,
) {
    let mut files: BTreeMap<PathBuf, FileChanges<'c>> = BTreeMap::new();
    for (number, change) in changes {
        if let Some(path) = store.place_of(&change.application) {
            let changes = files.entry(path.to_owned()).or_default();
            changes.push((number, change));
        }
    }
    let files: Vec<_> = files.into_iter().collect();
    let outcomes = change_files(store, &files);
    let written = files.iter().zip(&outcomes);
    let written = written.filter(|(_, outcome)| outcome.iter().any(Result::is_ok));
    let written = written.map(|((path, _), _)| path.as_path());
    // Should one be gone again, the next look at the directory finds that out.
    if store.refresh_files(written).is_err() {
        _ = store.refresh();
    }
    let numbers = files.iter().flat_map(|(_, changes)| changes);
    for ((number, _), result) in numbers.zip(outcomes.into_iter().flatten()) {
        if let Some(place) = results.get_mut(*number) {
            *place = result;
        }
    }
}

/// Changes several files at once, and gives the results of each.
fn change_files(store: &Store, files: &[(PathBuf, FileChanges<'_>)]) -> Vec<Results> {
    let change = |files: &[(PathBuf, FileChanges<'_>)]| -> Vec<Results> {
        let files = files.iter();
        files
            .map(|(path, changes)| change_file(store, path, changes))
            .collect()
    };
    let share = files.len().div_ceil(WRITERS).max(1);
    thread::scope(|scope| {
        let writers: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(move || change(files)))
            .collect();
        let outcomes = writers.into_iter().map(|writer| match writer.join() {
            Ok(outcomes) => outcomes,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        outcomes.flatten().collect()
    })
}

fn change_file(store: &Store, path: &Path, changes: &FileChanges<'_>) -> Results {
    let changes: Vec<_> = changes.iter().map(|(_, change)| *change).collect();
    let (text, fingerprint) = match read(store, path) {
        Ok(file) => file,
        Err(error) => return vec![Err(error); changes.len()],
    };
    let (edited, results) = splice::apply_all(&text, &changes, &store.default_namespace);
    let written = if edited == text {
        Ok(())
    } else {
        write(path, &edited, fingerprint)
    };
    let results = results.into_iter();
    results
        .map(|result| {
            result
                .map_err(|error| translated(error, path))
                .and(written.clone())
        })
        .collect()
}

fn read(store: &Store, path: &Path) -> Result<(String, Fingerprint), TriggerError> {
    check_inside(&store.dir, path)?;
    let file = known_file::read(path).map_err(|error| failed(&error, "read", path))?;
    let Some(file) = file else {
        return Err(refused(format!("{} is too large by now", path.display())));
    };
    match String::from_utf8(file.bytes) {
        Ok(text) => Ok((text, file.fingerprint)),
        Err(_) => Err(refused(format!("{} is not UTF-8 any more", path.display()))),
    }
}

fn write(path: &Path, text: &str, seen: Fingerprint) -> Result<(), TriggerError> {
    replace::replace(path, text, seen).map_err(|error| match error {
        ReplaceError::Changed => TriggerError::Moved {
            reason: error.to_string(),
        },
        ReplaceError::OwnerLocked => refused(format!("{}: {error}", path.display())),
        ReplaceError::Io(error) => failed(&error, "write", path),
    })
}

/// The path was free of symbolic links when it was found. It must still be, and lie in the directory.
fn check_inside(dir: &Path, path: &Path) -> Result<(), TriggerError> {
    let root = fs::canonicalize(dir).map_err(|error| failed(&error, "read", dir))?;
    let now = fs::canonicalize(path).map_err(|error| failed(&error, "read", path))?;
    if now != path || !now.starts_with(&root) {
        return Err(TriggerError::Gone);
    }
    Ok(())
}

fn translated(error: SpliceError, path: &Path) -> TriggerError {
    match error {
        SpliceError::Gone => TriggerError::Gone,
        SpliceError::Moved(reason) => TriggerError::Moved { reason },
        SpliceError::Refused(reason) => refused(format!("{}: {reason}", path.display())),
    }
}

fn refused(reason: String) -> TriggerError {
    TriggerError::Refused { reason }
}

fn failed(error: &io::Error, verb: &str, path: &Path) -> TriggerError {
    let reason = format!("failed to {verb} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => TriggerError::Gone,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            refused(format!("{reason}; let this user write there"))
        }
        _ => TriggerError::Unavailable { reason },
    }
}
