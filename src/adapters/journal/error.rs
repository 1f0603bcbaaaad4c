//! Why the journal cannot be used.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::ports::delivery_log::LogError;

/// Why the journal cannot be opened. Whatever it is, nothing in it was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder cannot be made or used.
    #[error("{path}: {source}; give a folder that the program may write with --state-dir")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else has it.
    #[error(
        "{0} is in use by another process: each needs a --state-dir of its own, and several that share the work need --queue"
    )]
    InUse(PathBuf),
    /// A later version of the program wrote it.
    #[error(
        "{path} is of version {found}, and this program knows {known} at the most: use the version that wrote it, or move the file away"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The latest known one.
        known: u64,
    },
    /// An earlier version of the program wrote it, and it is only looked at.
    #[error(
        "{path} is of the older version {found}, which cannot be shown: the next start of the server brings it up to date"
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// What it holds makes no sense.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        reason: String,
    },
    /// It cannot be read or written.
    #[error("{path}: {reason}")]
    Storage {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Why the store cannot be read or written now.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct StoreError(#[from] pub(super) redb::Error);

macro_rules! through_error {
    ($($kind:ident),*) => {
        $(impl From<redb::$kind> for StoreError {
            fn from(error: redb::$kind) -> Self {
                Self(error.into())
            }
        })*
    };
}
through_error!(StorageError, TableError, TransactionError, CommitError);

/// What people are told of it.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(super) fn unavailable(error: StoreError) -> LogError {
    LogError::Unavailable(error.to_string())
}
