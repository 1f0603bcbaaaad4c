//! The programs that tests talk to, which `tests/peers/build` builds.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::thread;

/// The folder with these programs, by the convention of `setup-envtest`. Where it is not set, the test that needs `what` says so and is left out;
/// in CI it fails.
pub(crate) fn folder(programs: &[&str], what: &str) -> Option<PathBuf> {
    if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) {
        for program in programs {
            let path = folder.join(program);
            assert!(path.is_file(), "{} is missing", path.display());
        }
        return Some(folder);
    }
    let test = thread::current();
    let test = test.name().unwrap_or("a test").to_owned();
    assert!(
        env::var_os("CI").is_none(),
        "KUBEBUILDER_ASSETS is not set, and {test} needs {what}"
    );
    // Not by a macro, whose output cargo would hide.
    let line =
        format!("\n!!! {test} was LEFT OUT: it needs KUBEBUILDER_ASSETS=$(tests/peers/build)\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}
