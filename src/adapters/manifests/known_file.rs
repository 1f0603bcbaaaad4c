//! A file as it was last read.

use std::fs::File;
use std::hash::DefaultHasher;
use std::hash::Hasher as _;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use crate::adapters::manifests::contents::Contents;
use crate::adapters::manifests::fingerprint::Fingerprint;
use crate::adapters::manifests::tree::TreeFile;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 4 << 20;
/// How often a file that changed is read again though it looks the same: some file systems count time in steps of two seconds, and a
/// second change within one step does not show.
const READ_AGAIN: u8 = 3;

/// What a file held, and by what it is told that it does not any more.
#[derive(Debug, Default)]
pub(super) struct KnownFile {
    /// Its path as the user knows it.
    pub(super) shown: PathBuf,
    /// What it holds.
    pub(super) contents: Contents,
    fingerprint: Option<Fingerprint>,
    /// Of its bytes; `None` before it was read.
    hash: Option<u64>,
    read_again: u8,
}

/// The bytes of a file, and its fingerprint from before they were read.
pub(super) struct Bytes {
    pub(super) bytes: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
}

impl KnownFile {
    /// Brings it up to date, and says whether what it holds may be something else now.
    ///
    /// # Errors
    /// The file cannot be read; what was known of it stays.
    pub(super) fn update(&mut self, file: &TreeFile, default_namespace: &str) -> io::Result<bool> {
        self.shown.clone_from(&file.shown);
        if self.fingerprint == Some(file.fingerprint) {
            if self.read_again == 0 {
                return Ok(false);
            }
            self.read_again -= 1;
        } else {
            self.read_again = READ_AGAIN;
        }
        let Some(read) = read(&file.path)? else {
            self.fingerprint = Some(file.fingerprint);
            let limit = MAX_SIZE >> 20;
            let message = format!("the file is left out: it is larger than {limit} MiB");
            self.contents = Contents::unusable(message);
            self.hash = None;
            return Ok(true);
        };
        self.fingerprint = Some(read.fingerprint);
        let mut hasher = DefaultHasher::new();
        hasher.write(&read.bytes);
        let hash = Some(hasher.finish());
        if self.hash == hash {
            return Ok(false);
        }
        self.hash = hash;
        self.contents = Contents::read(&read.bytes, default_namespace);
        Ok(true)
    }
}

/// Reads a file; `None` where it is too large.
pub(super) fn read(path: &Path) -> io::Result<Option<Bytes>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|size| size <= MAX_SIZE);
    Ok(fits.then(|| Bytes {
        bytes,
        fingerprint: Fingerprint::from(&metadata),
    }))
}
