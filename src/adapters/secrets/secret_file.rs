//! One file of a mounted Secret.

use std::io;
use std::path::Path;

use crate::adapters::mounted_file;
use crate::domain::secret_policy::Secrets;

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
    // Not the error itself: it holds the content.
    let text = String::from_utf8(mounted_file::read(path)?)
        .map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Secrets::parse(&text))
}
