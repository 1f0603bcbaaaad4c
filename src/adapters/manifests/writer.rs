//! Writing a change into the file that its Application stands in.

use std::fs;
use std::io;
use std::path::Path;

use crate::adapters::manifests::known_file;
use crate::adapters::manifests::replace;
use crate::adapters::manifests::replace::ReplaceError;
use crate::adapters::manifests::splice;
use crate::adapters::manifests::splice::SpliceError;
use crate::adapters::manifests::store::Store;
use crate::domain::change::ApplicationChange;
use crate::ports::update_trigger::TriggerError;

/// Writes a change. Whatever comes of it, the store knows the file as it is afterwards.
pub(super) fn apply(store: &mut Store, change: &ApplicationChange) -> Result<(), TriggerError> {
    match apply_once(store, change) {
        Ok(()) => Ok(()),
        // What was known is out of date. The Application may stand elsewhere by now.
        Err(TriggerError::Gone) => {
            look_again(store)?;
            apply_once(store, change)
        }
        Err(error @ TriggerError::Moved { .. }) => {
            look_again(store)?;
            Err(error)
        }
        Err(error @ (TriggerError::Refused { .. } | TriggerError::Unavailable { .. })) => {
            Err(error)
        }
    }
}

fn look_again(store: &mut Store) -> Result<(), TriggerError> {
    store
        .refresh()
        .map_err(|error| failed(&error, "read", &store.dir))
}

fn apply_once(store: &mut Store, change: &ApplicationChange) -> Result<(), TriggerError> {
    let Some(path) = store.place_of(&change.application).map(Path::to_owned) else {
        return Err(TriggerError::Gone);
    };
    check_inside(&store.dir, &path)?;
    let file = known_file::read(&path).map_err(|error| failed(&error, "read", &path))?;
    let Some(file) = file else {
        return Err(refused(format!("{} is too large by now", path.display())));
    };
    let Ok(text) = String::from_utf8(file.bytes) else {
        return Err(refused(format!("{} is not UTF-8 any more", path.display())));
    };
    let edited = splice::apply(&text, change, &store.default_namespace)
        .map_err(|error| translated(error, &path))?;
    if edited == text {
        return Ok(());
    }
    replace::replace(&path, &edited, file.fingerprint).map_err(|error| match error {
        ReplaceError::Changed => TriggerError::Moved {
            reason: error.to_string(),
        },
        ReplaceError::Io(error) => failed(&error, "write", &path),
    })?;
    // It is written. Should the file be gone again, the next look at the directory finds that out.
    if store.refresh_file(&path).is_err() {
        _ = store.refresh();
    }
    Ok(())
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
