//! The folder that a certificate is mounted into.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::path::PathBuf;

use crate::adapters::mounted_file;
use crate::ports::certificate_source::CertificateSource;
use crate::ports::certificate_source::CertificateSourceError;
use crate::ports::certificate_source::Found;

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// A folder as a source of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFolder(pub PathBuf);

impl CertificateSource for CertificateFolder {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    /// A folder that is not there holds nothing.
    fn read(&self) -> Result<Found, CertificateSourceError> {
        // A kubelet replaces all files of a volume at once, by renaming the link `..data`. Following it once keeps both files of one kind.
        let folder = self.0.join("..data").canonicalize();
        let folder = folder.unwrap_or_else(|_| self.0.clone());
        let chain = content(&folder, CERTIFICATE)?;
        let key = content(&folder, KEY)?;
        Ok(Found::of(chain, key))
    }
}

fn content(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, CertificateSourceError> {
    let file = folder.join(name);
    match mounted_file::read(&file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(CertificateSourceError {
            place: file.display().to_string(),
            reason: format!(
                "{error}; let this user read it, or take it away for a self-signed certificate"
            ),
        }),
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

    fn found(folder: &Path) -> Result<Found, CertificateSourceError> {
        CertificateFolder(folder.to_owned()).read()
    }

    fn missing(found: &Found) -> Option<&str> {
        match found {
            Found::Absent { missing } => Some(missing),
            Found::Pair { .. } => None,
        }
    }

    #[test]
    fn missing_and_empty_files_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = found(&folder.path().join("nowhere")).unwrap();
        assert_eq!(missing(&nothing), Some("tls.crt and tls.key"));
        fs::write(folder.path().join(CERTIFICATE), "x").unwrap();
        let half = found(folder.path()).unwrap();
        assert_eq!(missing(&half), Some("tls.key"));
        fs::write(folder.path().join(KEY), " \n").unwrap();
        let half = found(folder.path()).unwrap();
        assert_eq!(missing(&half), Some("tls.key"));
        fs::write(folder.path().join(KEY), "y").unwrap();
        assert_eq!(missing(&found(folder.path()).unwrap()), None);
    }

    #[test]
    fn a_mounted_volume_is_read_through_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let generation = folder.path().join("..2026_11_24");
        fs::create_dir(&generation).unwrap();
        fs::write(generation.join(CERTIFICATE), "c").unwrap();
        fs::write(generation.join(KEY), "k").unwrap();
        symlink("..2026_11_24", folder.path().join("..data")).unwrap();
        let pair = found(folder.path()).unwrap();
        assert!(
            pair == Found::Pair {
                chain: b"c".to_vec(),
                key: b"k".to_vec()
            }
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(CERTIFICATE)).unwrap();
        let error = || found(folder.path()).err().unwrap().to_string();
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
