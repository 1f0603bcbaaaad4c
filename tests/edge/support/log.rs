//! The log of one test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::subscriber::DefaultGuard;

use super::wire::PATIENCE;

/// What this thread logs, as long as it is kept. A test on one thread sees all of its server.
pub(crate) struct Log {
    lines: Lines,
    _guard: Option<DefaultGuard>,
}

/// What every thread without a log of its own logs, at every level, the records of the crate `log` included.
pub(crate) fn everything() -> Log {
    static EVERYTHING: OnceLock<Lines> = OnceLock::new();
    let lines = EVERYTHING.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .init();
        lines
    });
    Log {
        lines: lines.clone(),
        _guard: None,
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Keeps everything from `info` on.
    pub(crate) fn start() -> Self {
        // Where nobody listens at first, tracing may note for good that nobody does.
        everything();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            lines,
            _guard: Some(tracing::subscriber::set_default(subscriber)),
        }
    }

    /// The lines that hold that text.
    pub(crate) fn lines(&self, text: &str) -> Vec<String> {
        let bytes = self.lines.0.lock().unwrap().clone();
        let log = String::from_utf8(bytes).unwrap();
        log.lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect()
    }

    /// Waits for a line that holds that text.
    pub(crate) async fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while self.lines(text).is_empty() {
            assert!(start.elapsed() < PATIENCE, "no line with {text:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
