//! A file of a mounted ConfigMap or Secret, for every adapter that reads one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that Kubernetes stores in a ConfigMap or Secret, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Reads a file, links followed.
///
/// # Errors
/// Where it is missing or cannot be read, is no file, or is longer than Kubernetes stores.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for a writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > MAX_FILE {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}
