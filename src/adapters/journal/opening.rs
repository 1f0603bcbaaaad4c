//! Opens the file, or says why it cannot be opened.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;

use redb::Builder;
use redb::Database;
use redb::ReadableDatabase;
use redb::ReadableTable;
use redb::StorageBackend;
use redb::TableError;

use super::error::OpenError;
use super::error::StoreError;
use super::store::ABOUT;
use super::store::DELIVERIES;
use super::store::Store;
use super::upgrade;

/// What this program writes. A file of a lower version is brought up to it when it is opened.
pub(super) const VERSION: u64 = 2;
/// Memory for pages of the file, in bytes.
const CACHE: usize = 4 * 1024 * 1024;

impl Store {
    /// Opens the file, or makes it. It is checked as a whole: what a crash left half-way is taken back to the last commit.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let is_new = !path.exists();
        let database = builder().create(path);
        let database = database.map_err(|error| opening(error.into(), path))?;
        if is_new {
            // Its name is as durable as what is in it.
            path.parent()
                .map_or(Ok(()), sync)
                .map_err(|source| OpenError::Folder {
                    path: path.to_owned(),
                    source,
                })?;
        }
        Self::of(database, path)
    }

    /// Opens what a backend holds.
    pub(super) fn on(backend: impl StorageBackend) -> Result<Self, OpenError> {
        let path = Path::new("backend");
        let database = builder().create_with_backend(backend);
        Self::of(database.map_err(|error| opening(error.into(), path))?, path)
    }

    /// Opens a file for a look at it: none is made, and none brought up to this program's version. `None` where nothing was ever kept.
    pub(super) fn existing(path: &Path) -> Result<Option<Self>, OpenError> {
        let is_none = match fs::metadata(path) {
            // As the server leaves it that is killed in its first moment.
            Ok(file) => file.len() == 0,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_none {
            return Ok(None);
        }
        let database = builder().open(path);
        let database = database.map_err(|error| opening(error.into(), path))?;
        let store = Self { database };
        let found = store
            .noted_version()
            .map_err(|StoreError(error)| opening(error, path))?;
        match found {
            None => Ok(None),
            Some(found) if found < VERSION => Err(OpenError::TooOld {
                path: path.to_owned(),
                found,
            }),
            Some(found) => known(found, path).map(|()| Some(store)),
        }
    }

    fn of(database: Database, path: &Path) -> Result<Self, OpenError> {
        let store = Self { database };
        let found = store
            .version()
            .map_err(|StoreError(error)| opening(error, path))?;
        known(found, path)?;
        Ok(store)
    }

    /// The version that the file says it has; `None` where nothing was ever written to it.
    fn noted_version(&self) -> Result<Option<u64>, StoreError> {
        let about = match self.database.begin_read()?.open_table(ABOUT) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            about => about?,
        };
        Ok(about.get("version")?.map(|version| version.value()))
    }

    /// The version that the file had; an older one is brought up to this program's, and so is a new one.
    fn version(&self) -> Result<u64, StoreError> {
        let transaction = self.database.begin_write()?;
        let version = {
            let mut about = transaction.open_table(ABOUT)?;
            let known = about.get("version")?.map(|version| version.value());
            let mut deliveries = transaction.open_table(DELIVERIES)?;
            if known == Some(1) {
                upgrade::from_1(&transaction, &mut deliveries)?;
            }
            if known.is_none_or(|known| known < VERSION) {
                about.insert("version", VERSION)?;
            }
            known.unwrap_or(VERSION)
        };
        transaction.commit()?;
        Ok(version)
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder.set_check_integrity_on_open(true);
    builder
}

/// Whether this program knows a version.
fn known(found: u64, path: &Path) -> Result<(), OpenError> {
    if found <= VERSION {
        return Ok(());
    }
    Err(OpenError::TooNew {
        path: path.to_owned(),
        found,
        known: VERSION,
    })
}

/// Why a file cannot be opened.
fn opening(error: redb::Error, path: &Path) -> OpenError {
    let path = path.to_owned();
    let reason = error.to_string();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            OpenError::InUse(path)
        }
        redb::Error::Corrupted(_) => OpenError::Damaged { path, reason },
        // Not even the first bytes are those of such a file, or it ends before it should.
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            OpenError::Damaged { path, reason }
        }
        _ => OpenError::Storage { path, reason },
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
