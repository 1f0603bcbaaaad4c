//! The folder of a quickstart: a few Applications, a secret and a delivery to send by hand.

use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

use crate::domain::secret_policy::Secret;

/// The manifests, compiled in so that the program alone will do.
const MANIFESTS: [(&str, &str); 4] = [
    (
        "image-updater.yaml",
        include_str!("manifests/image-updater.yaml"),
    ),
    ("payments.yaml", include_str!("manifests/payments.yaml")),
    ("search.yaml", include_str!("manifests/search.yaml")),
    ("storefront.yaml", include_str!("manifests/storefront.yaml")),
];
/// By this file we know a folder again, and may write into it.
const MARKER: &str = ".argocd-image-updater-quickstart";

/// Why the folder cannot be made.
#[derive(Debug, Error)]
pub enum FolderError {
    /// It holds somebody's files.
    #[error("{0:?} is neither empty nor a quickstart folder: give another one with --dir")]
    Taken(PathBuf),
    /// The system refuses.
    #[error("failed to write {path:?}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no randomness for a secret.
    #[error("failed to make a secret: {0}")]
    Random(String),
}

/// A folder that is ready to be served.
pub struct Folder {
    root: PathBuf,
    secret: Secret,
}

impl Folder {
    /// Makes the folder and everything in it. One that was made before is set back to the beginning.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn make(root: &Path) -> Result<Self, FolderError> {
        make_folder(root)?;
        let taken = fs::read_dir(root).map_err(failed(root))?.next().is_some();
        if taken && !root.join(MARKER).exists() {
            return Err(FolderError::Taken(root.to_owned()));
        }
        let root = root.canonicalize().map_err(failed(root))?;
        write(
            &root.join(MARKER),
            "Made by `argocd-image-updater quickstart`.\n",
            0o644,
        )?;
        let folder = Self {
            secret: fresh_secret()?,
            root,
        };
        make_folder(&folder.manifests())?;
        make_folder(&folder.secrets())?;
        for (name, content) in MANIFESTS {
            write(&folder.manifests().join(name), content, 0o644)?;
        }
        write(
            &folder.secret_file(),
            &format!("{}\n", folder.secret.expose()),
            0o600,
        )?;
        Ok(folder)
    }

    /// Where the Applications are.
    #[must_use]
    pub fn manifests(&self) -> PathBuf {
        self.root.join("manifests")
    }

    /// Where the server finds its secrets.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// Where the server keeps deliveries.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The secret's file, readable by its owner alone.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.secrets().join("webhook.ghcr-secret")
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Keeps the body of a delivery, and says where.
    ///
    /// # Errors
    /// [`FolderError::Write`].
    pub fn keep_delivery(&self, body: &[u8]) -> Result<PathBuf, FolderError> {
        let file = self.root.join("delivery.json");
        fs::write(&file, body).map_err(failed(&file))?;
        Ok(file)
    }

    /// What all manifests hold now, with their names.
    ///
    /// # Errors
    /// [`FolderError::Write`] where one cannot be read.
    pub fn contents(&self) -> Result<Vec<(&'static str, String)>, FolderError> {
        let read = |name: &'static str| {
            let file = self.manifests().join(name);
            fs::read_to_string(&file)
                .map(|content| (name, content))
                .map_err(failed(&file))
        };
        MANIFESTS.iter().map(|(name, _)| read(name)).collect()
    }
}

fn fresh_secret() -> Result<Secret, FolderError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| FolderError::Random(error.to_string()))?;
    Secret::parse(&hex::encode(bytes)).ok_or_else(|| FolderError::Random("no bytes".to_owned()))
}

fn make_folder(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(failed(path))
}

/// Writes a new file; what stood there before, and its mode, does not count.
fn write(path: &Path, content: &str, mode: u32) -> Result<(), FolderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path)(error)),
        Ok(()) | Err(_) => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    file.and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("mine.txt"), "mine").unwrap();
        assert!(matches!(
            Folder::make(place.path()),
            Err(FolderError::Taken(_))
        ));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_second_run_starts_from_the_beginning_with_another_secret() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("new");
        let first = Folder::make(&root).unwrap();
        let mode = fs::metadata(first.secret_file())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = first.contents().unwrap();
        fs::write(first.manifests().join("storefront.yaml"), "changed").unwrap();
        let second = Folder::make(&root).unwrap();
        assert_eq!(second.contents().unwrap(), before);
        assert_ne!(second.secret(), first.secret());
    }
}
