//! The program's log, which is read as a container runtime does, and counted.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::Result;

/// How many lines of the start, and how many errors, are kept.
const KEPT: usize = 20;

/// What the log said.
#[derive(Default)]
pub(crate) struct Log {
    said: Mutex<Said>,
    more: Condvar,
}

#[derive(Default)]
struct Said {
    first: Vec<String>,
    errors: Vec<String>,
    counts: Counts,
}

/// How many lines there were.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) all: u64,
    pub(crate) warnings: u64,
    pub(crate) errors: u64,
}

impl Log {
    /// Reads it until it ends.
    pub(crate) fn read(stream: impl Read + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self::default());
        let told = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut stream = BufReader::with_capacity(64 * 1024, stream);
            let mut line = Vec::new();
            while let Ok(1..) = stream.read_until(b'\n', &mut line) {
                told.note(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        log
    }

    fn note(&self, line: &str) {
        let mut said = self.said();
        said.counts.all += 1;
        if line.contains("level=warn") {
            said.counts.warnings += 1;
        } else if line.contains("level=error") || line.contains("panicked") {
            said.counts.errors += 1;
            if said.errors.len() < KEPT {
                said.errors.push(line.trim().to_owned());
            }
        }
        if said.first.len() < KEPT {
            said.first.push(line.trim().to_owned());
            self.more.notify_all();
        }
    }

    /// Waits for one of the first lines that says where something listens.
    pub(crate) fn port(&self, what: &str, patience: Duration) -> Result<u16> {
        let says = |said: &mut Said| !said.first.iter().any(|line| line.contains(what));
        let waited = self.more.wait_timeout_while(self.said(), patience, says);
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let line = said.first.iter().find(|line| line.contains(what));
        let line =
            line.ok_or_else(|| format!("no line with {what:?} in\n{}", said.first.join("\n")))?;
        let mut fields = line.split_whitespace();
        let address = fields.find_map(|field| field.strip_prefix("address="));
        let port = address.and_then(|address| address.trim_matches('"').rsplit(':').next());
        Ok(port.ok_or("the log names no address")?.parse()?)
    }

    /// How many lines there were so far.
    pub(crate) fn counts(&self) -> Counts {
        self.said().counts
    }

    /// The first errors.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.said().errors.clone()
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
