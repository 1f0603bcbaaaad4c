//! The program as a child process: started, watched, stopped.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

/// Longer than anything takes on a slow machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program with a clean environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argocd-image-updater"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// The lines of a stream so far, and a way to wait for one.
#[derive(Default)]
pub(crate) struct Lines {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Lines {
    fn collect(stream: impl std::io::Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let collected = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                collected.lines.lock().unwrap().push(line);
                collected.more.notify_all();
            }
        });
        lines
    }

    /// Waits for a line that has all of these in it.
    pub(crate) fn wait_for(&self, parts: &[&str]) -> String {
        self.wait_for_count(1, parts).remove(0)
    }

    /// Waits for so many lines that have all of these in them.
    pub(crate) fn wait_for_count(&self, count: usize, parts: &[&str]) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap();
        loop {
            let found: Vec<String> = matching(&lines, parts);
            if found.len() >= count {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} of {count} lines with {parts:?} in\n{}",
                found.len(),
                lines.join("\n")
            );
            lines = self.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The lines so far that have all of these in them.
    pub(crate) fn with(&self, parts: &[&str]) -> Vec<String> {
        matching(&self.lines.lock().unwrap(), parts)
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

fn matching(lines: &[String], parts: &[&str]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .cloned()
        .collect()
}

/// A server that is running. It is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Its log.
    pub(crate) log: Arc<Lines>,
    /// What it prints.
    pub(crate) output: Arc<Lines>,
    scheme: &'static str,
    port: u16,
}

impl Server {
    /// Starts `webhook` on a free port, and waits until it listens.
    pub(crate) fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = program();
        command
            .args(["webhook", "--webhook-port", "0", "--loglevel", "debug"])
            .args(arguments);
        Self::spawn(command)
    }

    /// Runs a command that serves, and waits until it listens.
    pub(crate) fn spawn(command: Command) -> Self {
        let mut server = Self::deaf(command);
        let line = server.log.wait_for(&["webhook server is listening"]);
        let address = field(&line, "address");
        server.port = address.rsplit(':').next().unwrap().parse().unwrap();
        if field(&line, "tls") == "off" {
            server.scheme = "http";
        }
        server
    }

    /// Runs a command that takes no deliveries.
    pub(crate) fn deaf(mut command: Command) -> Self {
        // Images of these tests exist in no registry; tests with one set this themselves.
        for (name, value) in [
            ("WEBHOOK_CONFIRM", "event"),
            ("IMAGE_UPDATER_CATCH_UP", "false"),
            ("IMAGE_UPDATER_INTERVAL", "-1s"),
        ] {
            if !command.get_envs().any(|(given, _)| given == name) {
                command.env(name, value);
            }
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Lines::collect(child.stderr.take().unwrap());
        let output = Lines::collect(child.stdout.take().unwrap());
        Self {
            child,
            log,
            output,
            scheme: "https",
            port: 0,
        }
    }

    /// A URL of this server.
    pub(crate) fn url(&self, path_and_query: &str) -> String {
        format!("{}://127.0.0.1:{}{path_and_query}", self.scheme, self.port)
    }

    /// Where this server listens, as far as this machine is concerned.
    pub(crate) fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the program does not end:\n{}",
                self.log.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field of a logfmt line, without quotes.
pub(crate) fn field(line: &str, name: &str) -> String {
    fields(line)
        .remove(name)
        .unwrap_or_else(|| panic!("no field {name} in {line}"))
}

/// All fields of a logfmt line.
pub(crate) fn fields(line: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    let mut rest = line;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted),
            None => plain_value(after),
        };
        fields.insert(name.trim().to_owned(), value);
        rest = after;
    }
    fields
}

/// A value up to the blank that ends it, and what follows.
fn plain_value(text: &str) -> (String, &str) {
    let (value, after) = text.split_once(' ').unwrap_or((text, ""));
    (value.to_owned(), after)
}

/// A value up to the quote that ends it, and what follows.
fn quoted_value(text: &str) -> (String, &str) {
    let mut escaped = false;
    let end = text.find(|c| {
        let end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    });
    let end = end.unwrap_or(text.len());
    let value = text[..end].replace("\\\"", "\"");
    (value, text.get(end + 1..).unwrap_or_default())
}

/// Waits until a file holds a text.
pub(crate) fn wait_for_text(file: &Path, text: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let content = std::fs::read_to_string(file).unwrap();
        if content.contains(text) {
            return content;
        }
        assert!(
            Instant::now() < deadline,
            "{text:?} did not come into {}:\n{content}",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
