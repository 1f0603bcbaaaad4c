//! Replacing a file in one step: whoever reads it sees the old text or the new one, never half of one.

use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::fchown;
use std::path::Path;

use thiserror::Error;

use crate::adapters::manifests::fingerprint::Fingerprint;

/// How the name of a new text starts until it is in its place.
pub(super) const PREFIX: &str = ".image-updater-";
/// How it ends: so that nobody takes it for a manifest.
pub(super) const SUFFIX: &str = ".tmp";

/// Why a file was not replaced.
#[derive(Debug, Error)]
pub(super) enum ReplaceError {
    /// Somebody else wrote it since it was read.
    #[error("the file was written meanwhile")]
    Changed,
    /// Its owner could not read it any more.
    #[error(
        "only root may leave the file to its owner, who could not read it any more; run as that user, or let its group read it"
    )]
    OwnerLocked,
    /// The system did not let us.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Gives a file, of which the path has no symbolic links, a new text. Its permissions stay, and its owner where that is allowed.
pub(super) fn replace(path: &Path, text: &str, seen: Fingerprint) -> Result<(), ReplaceError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let old = fs::symlink_metadata(path)?;
    let mut new = tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .tempfile_in(folder)?;
    // It says that this is no leftover. Where there are no locks, nobody takes it for one either.
    _ = new.as_file().try_lock();
    new.write_all(text.as_bytes())?;
    keep_owner(new.as_file(), &old)?;
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    let now = fs::symlink_metadata(path)?;
    if !now.is_file() || Fingerprint::from(&now) != seen {
        return Err(ReplaceError::Changed);
    }
    new.persist(path).map_err(|error| error.error)?;
    // The text is on disk and in its place; that the name is too may be left to the system where it cannot be forced.
    _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Gives a new file the owner and the group of the old one. Only root may give a file away; for anybody else it is theirs from now on.
fn keep_owner(new: &File, old: &Metadata) -> Result<(), ReplaceError> {
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (old.uid(), old.gid())
        || fchown(new, Some(old.uid()), Some(old.gid())).is_ok()
    {
        return Ok(());
    }
    let has_group = made.gid() == old.gid() || fchown(new, None, Some(old.gid())).is_ok();
    if made.uid() == old.uid() || is_read_by_others(old.mode(), has_group) {
        Ok(())
    } else {
        Err(ReplaceError::OwnerLocked)
    }
}

/// Whether permissions let somebody read who is not the owner: anybody, or the group where the file has the one it had.
fn is_read_by_others(mode: u32, has_group: bool) -> bool {
    mode & 0o004 != 0 || (has_group && mode & 0o040 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_given_away_is_read_by_its_group_or_by_anybody() {
        assert!(is_read_by_others(0o100_644, false));
        assert!(is_read_by_others(0o100_640, true));
        assert!(!is_read_by_others(0o100_640, false));
        assert!(!is_read_by_others(0o100_600, true));
    }
}
