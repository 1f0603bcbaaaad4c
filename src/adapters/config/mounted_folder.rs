//! A ConfigMap or Secret that is mounted as a folder: one file for each key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::adapters::mounted_file;
use crate::ports::config_source::{ConfigSource, ConfigSourceError, ConfigValue};

/// A mounted folder. It is read when it is asked for its values.
///
/// The kubelet writes the files into a folder of their own and links to them through `..data`, so links are followed, and names that
/// start with two dots are left out. Folders are no keys either.
///
/// Only files that are asked for are read. Others are listed with an empty value, so that they can be warned of: the folder may hold
/// large or private files that are not for us, and those must not stop the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedFolder {
    path: PathBuf,
    keys: Vec<String>,
    required: bool,
}

impl MountedFolder {
    /// A folder that may be missing, and has no values then.
    #[must_use]
    pub fn optional(path: &Path, keys: Vec<String>) -> Self {
        Self {
            path: path.to_owned(),
            keys,
            required: false,
        }
    }

    /// A folder that has to be there.
    #[must_use]
    pub fn required(path: &Path, keys: Vec<String>) -> Self {
        Self {
            required: true,
            ..Self::optional(path, keys)
        }
    }

    /// The value of a file; nothing where it is none of ours.
    fn value(&self, path: &Path) -> Result<Option<ConfigValue>, ConfigSourceError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("..") || !path.is_file() {
            return Ok(None);
        }
        let key = name.into_owned();
        let value = if self.keys.contains(&key) {
            read(path).map_err(|error| unreadable(path, &error))?
        } else {
            String::new()
        };
        Ok(Some(ConfigValue { key, value }))
    }
}

impl ConfigSource for MountedFolder {
    fn values(&self) -> Result<Vec<ConfigValue>, ConfigSourceError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(unreadable(&self.path, &error)),
        };
        let mut values = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| unreadable(&self.path, &error))?
                .path();
            values.extend(self.value(&path)?);
        }
        values.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(values)
    }
}

/// The text of a file without the line ends at its end, which editors and `kubectl create configmap --from-file` leave.
fn read(path: &Path) -> io::Result<String> {
    let bytes = mounted_file::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigSourceError {
    ConfigSourceError {
        place: path.display().to_string(),
        reason: format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn pairs(folder: &MountedFolder) -> Vec<(String, String)> {
        let values = folder.values().unwrap();
        values.into_iter().map(|v| (v.key, v.value)).collect()
    }

    fn keys(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn files_that_nobody_asks_for_are_named_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("known"), "x").unwrap();
        fs::write(folder.path().join("stranger"), vec![b'x'; (1 << 20) + 1]).unwrap();
        let expected = [("known", "x"), ("stranger", "")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let asked = MountedFolder::required(folder.path(), keys(&["known"]));
        assert_eq!(pairs(&asked), expected);
    }

    #[test]
    fn a_folder_as_the_kubelet_makes_it_gives_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let data = root.join("..2026_11_24_12_00_00.123");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("webhook.port"), "8080\n").unwrap();
        fs::write(data.join("log.level"), "debug").unwrap();
        symlink("..2026_11_24_12_00_00.123", root.join("..data")).unwrap();
        symlink("..data/webhook.port", root.join("webhook.port")).unwrap();
        symlink("..data/log.level", root.join("log.level")).unwrap();
        fs::create_dir(root.join("tls")).unwrap();
        let expected = [("log.level", "debug"), ("webhook.port", "8080")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(
            pairs(&MountedFolder::required(
                root,
                keys(&["log.level", "webhook.port"])
            )),
            expected
        );
    }

    #[test]
    fn only_line_ends_at_the_end_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "\n x \r\n y \r\n\n").unwrap();
        fs::write(folder.path().join("b"), b"a\xff").unwrap();
        let expected = [("a", "\n x \r\n y "), ("b", "a\u{fffd}")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let asked = MountedFolder::optional(folder.path(), keys(&["a", "b"]));
        assert_eq!(pairs(&asked), expected);
    }

    #[test]
    fn only_a_required_folder_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(pairs(&MountedFolder::optional(&missing, Vec::new())), []);
        let error = MountedFolder::required(&missing, Vec::new())
            .values()
            .unwrap_err();
        assert_eq!(error.place, missing.display().to_string());
    }

    #[test]
    fn what_is_no_folder_or_too_long_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(MountedFolder::optional(&file, Vec::new()).values().is_err());
        let asked = MountedFolder::optional(folder.path(), keys(&["file"]));
        let error = asked.values().unwrap_err();
        assert_eq!(error.place, file.display().to_string());
        assert!(error.reason.contains("1 MiB"), "{}", error.reason);
    }
}
