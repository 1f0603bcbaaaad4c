//! A program that prints credentials.

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process_group;
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::process::Command;
use tokio::time::timeout;

use crate::adapters::credentials::login;
use crate::ports::credential_reader::CredentialError;
use crate::ports::credential_reader::Credentials;

/// How long it may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that it may print, in bytes. Tokens of clouds have a few thousand.
const MAX_OUTPUT: u64 = 1 << 16;

/// Runs a program without arguments, and reads `user:password` from its standard output. Nothing that it prints is shown or logged, its errors
/// neither: a script that traces itself prints what it knows.
///
/// # Errors
/// [`CredentialError`].
pub(super) async fn run(path: &str, patience: Duration) -> Result<Credentials, CredentialError> {
    check(path)?;
    let mut child = Command::new(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| unusable(path, &format!("cannot be run: {error}")))?;
    let mut group = Group::of(&child);
    let Ok(ended) = timeout(patience, finish(&mut child)).await else {
        let reason = format!(
            "{path} did not end within {} s and was killed",
            patience.as_secs()
        );
        return Err(CredentialError::Unavailable(reason));
    };
    let (status, output) = ended.map_err(|error| {
        CredentialError::Unavailable(format!("{path} could not be followed: {error}"))
    })?;
    group.has_ended();
    judge(path, status, &output)
}

fn check(path: &str) -> Result<(), CredentialError> {
    match Path::new(path).metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(unusable(path, "is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(unusable(path, "does not exist: mount it"))
        }
        Err(error) => Err(unusable(path, &format!("cannot be run: {error}"))),
    }
}

async fn finish(child: &mut Child) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output).await?;
    }
    Ok((child.wait().await?, output))
}

fn judge(path: &str, status: ExitStatus, output: &[u8]) -> Result<Credentials, CredentialError> {
    // Whoever prints on fails, as nobody reads on.
    if output.len() as u64 > MAX_OUTPUT {
        return Err(unusable(path, "printed more than 64 KiB"));
    }
    if !status.success() {
        // What keeps it from working, such as a network, may pass.
        let reason = format!("{path} failed ({status}): run it by hand to see why");
        return Err(CredentialError::Unavailable(reason));
    }
    login::parse(output.trim_ascii())
        .ok_or_else(|| unusable(path, "must print user:password and nothing else"))
}

fn unusable(path: &str, what: &str) -> CredentialError {
    CredentialError::Unusable(format!("{path} {what}"))
}

/// The processes that a program and its children are; they end with this, unless the program has ended by itself. Killing the program alone would
/// leave what a script has started.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// The number may belong to somebody else from now on.
    fn has_ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It fails only where nobody is left.
            _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn script(name: &str) -> String {
        format!(
            "{}/tests/fixtures/credentials/{name}",
            env!("CARGO_MANIFEST_DIR")
        )
    }

    async fn error(name: &str) -> CredentialError {
        run(&script(name), TIMEOUT).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_a_program_prints_is_read() {
        let read = run(&script("prints"), TIMEOUT).await.unwrap();
        let expected = Credentials::Password {
            user: "bob".to_owned(),
            password: "hunter2:x".to_owned(),
        };
        assert!(read == expected, "{read:?}");
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_what_was_printed() {
        for (name, part, is_passing) in [
            ("fails", "failed (exit status: 3)", true),
            ("prints-nonsense", "must print user:password", false),
            ("prints-much", "printed more than 64 KiB", false),
            ("not-there", "does not exist", false),
            ("", "is no file", false),
            ("not-executable", "cannot be run", false),
        ] {
            let error = error(name).await;
            let text = error.to_string();
            assert!(text.contains(part), "{name}: {text}");
            let passes = matches!(error, CredentialError::Unavailable(_));
            assert_eq!(passes, is_passing, "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    /// The script starts a child that holds a lock of its own by living; both write their numbers first.
    #[tokio::test]
    async fn one_that_hangs_is_killed_with_its_children() {
        let path = script("hangs");
        let folder = tempfile::tempdir().unwrap();
        let numbers = folder.path().join("numbers");
        let link = folder.path().join("hangs");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let running = run(link.to_str().unwrap(), TIMEOUT);
        let mut running = Box::pin(running);
        // It writes beside the link by which it was called.
        let children = loop {
            tokio::select! {
                ended = &mut running => panic!("{ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
            let text = fs::read_to_string(&numbers).unwrap_or_default();
            let ids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
            if ids.len() == 2 && text.ends_with('\n') {
                break ids;
            }
        };
        drop(running);
        for id in children {
            while is_alive(id) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    #[tokio::test]
    async fn one_that_takes_too_long_is_no_reason_to_wait() {
        let patience = Duration::from_millis(50);
        let path = script("sleeps");
        let error = run(&path, patience).await.unwrap_err();
        assert!(matches!(error, CredentialError::Unavailable(_)), "{error}");
        assert!(error.to_string().contains("was killed"), "{error}");
    }

    /// Whether a process runs. A zombie does not: who started it is gone, and nobody may reap it here.
    fn is_alive(id: u32) -> bool {
        let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = state.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
        state.is_some_and(|state| !state.starts_with('Z'))
    }
}
