//! The folder that a certificate is mounted into.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::certificate::KeyPair;
use super::error::TlsError;
use crate::adapters::mounted_file;

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// What such a folder holds.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Both files.
    Pair {
        /// The contents of `tls.crt`.
        chain: Vec<u8>,
        /// The contents of `tls.key`.
        key: Vec<u8>,
    },
    /// At least one file is missing or empty.
    Absent {
        /// Which.
        missing: String,
    },
}

impl Found {
    /// Reads the folder as it is now. A folder that is not there holds nothing.
    ///
    /// # Errors
    /// [`TlsError::ReadFile`] where a file is there and cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Self, TlsError> {
        // A kubelet replaces all files of a volume at once, by renaming the link `..data`. Following it once keeps both files of one kind.
        let folder = folder
            .join("..data")
            .canonicalize()
            .unwrap_or_else(|_| folder.to_owned());
        let chain = content(&folder, CERTIFICATE)?;
        let key = content(&folder, KEY)?;
        Ok(match (chain, key) {
            (Some(chain), Some(key)) => Self::Pair { chain, key },
            (None, Some(_)) => Self::absent(CERTIFICATE),
            (Some(_), None) => Self::absent(KEY),
            (None, None) => Self::absent(&format!("{CERTIFICATE} and {KEY}")),
        })
    }

    fn absent(missing: &str) -> Self {
        Self::Absent {
            missing: missing.to_owned(),
        }
    }

    /// The pair that it holds, if it holds one.
    ///
    /// # Errors
    /// As for [`KeyPair::parse`].
    pub(super) fn pair(&self) -> Result<Option<KeyPair>, TlsError> {
        match self {
            Self::Pair { chain, key } => KeyPair::parse(chain, key).map(Some),
            Self::Absent { .. } => Ok(None),
        }
    }
}

fn content(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, TlsError> {
    let file = folder.join(name);
    match mounted_file::read(&file) {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(source) => Err(TlsError::ReadFile { file, source }),
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn missing(found: &Found) -> Option<&str> {
        match found {
            Found::Absent { missing } => Some(missing),
            Found::Pair { .. } => None,
        }
    }

    #[test]
    fn missing_and_empty_files_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let found = Found::read(&folder.path().join("nowhere")).unwrap();
        assert_eq!(missing(&found), Some("tls.crt and tls.key"));
        fs::write(folder.path().join(CERTIFICATE), "x").unwrap();
        let found = Found::read(folder.path()).unwrap();
        assert_eq!(missing(&found), Some("tls.key"));
        fs::write(folder.path().join(KEY), " \n").unwrap();
        let found = Found::read(folder.path()).unwrap();
        assert_eq!(missing(&found), Some("tls.key"));
        fs::write(folder.path().join(KEY), "y").unwrap();
        assert_eq!(missing(&Found::read(folder.path()).unwrap()), None);
    }

    #[test]
    fn a_mounted_volume_is_read_through_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let generation = folder.path().join("..2026_11_24");
        fs::create_dir(&generation).unwrap();
        fs::write(generation.join(CERTIFICATE), "c").unwrap();
        fs::write(generation.join(KEY), "k").unwrap();
        symlink("..2026_11_24", folder.path().join("..data")).unwrap();
        let found = Found::read(folder.path()).unwrap();
        assert!(
            found
                == Found::Pair {
                    chain: b"c".to_vec(),
                    key: b"k".to_vec()
                }
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(CERTIFICATE)).unwrap();
        let error = || Found::read(folder.path()).err().unwrap().to_string();
        assert!(error().contains("tls.crt: it is no file"), "{}", error());

        let file = folder.path().join(CERTIFICATE);
        fs::remove_dir(&file).unwrap();
        let status = Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(status.success());
        assert!(error().contains("tls.crt: it is no file"), "{}", error());

        fs::remove_file(&file).unwrap();
        fs::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(error().contains("1 MiB"), "{}", error());
    }
}
