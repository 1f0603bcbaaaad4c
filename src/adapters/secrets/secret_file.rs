//! One file of a mounted Secret.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::domain::secret_policy::Secrets;

/// The most that Kubernetes stores in a Secret, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The secrets in a file; none where it is not there.
///
/// When the kubelet swaps its `..data` link, a path that was resolved just before leads into a folder that is just being removed. So a
/// file is missing only if it is missing twice.
///
/// # Errors
/// Where it is there and is no file, or cannot be read as text.
pub(super) fn read(path: &Path) -> io::Result<Secrets> {
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match read_once(path) {
        Err(error) if is_missing(&error) => match read_once(path) {
            Err(error) if is_missing(&error) => Ok(Secrets::default()),
            again => again,
        },
        first => first,
    }
}

fn read_once(path: &Path) -> io::Result<Secrets> {
    // Opening a pipe would wait for a writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    let read = File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if read as u64 > MAX_FILE {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(Secrets::parse(&text))
}
