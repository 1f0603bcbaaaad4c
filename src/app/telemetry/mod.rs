//! The log: one line for each event, on standard error.
//!
//! A line starts with `time`, `level` and `msg`, as the Go program's do; the fields of the event and of the spans around it follow.
//! Whatever bytes a value holds, a line is one line and a value cannot pretend to be another field.

mod console;
mod fields;
mod json;
mod line;
mod log_layer;
mod logfmt;
#[cfg(test)]
pub(super) mod testing;

use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::line::Line;
use self::log_layer::LogLayer;
use crate::app::settings::{LogFormat, LogLevel, LogSettings};

/// Changes which lines are written, while they are.
#[derive(Debug, Clone)]
pub struct Level(reload::Handle<Targets, Registry>);

impl Level {
    /// Writes lines of this level and of more severe ones from now on.
    pub fn set(&self, level: LogLevel) {
        // It fails only where the log is gone, and then there is nothing to change.
        let _ = self.0.reload(targets(level));
    }
}

/// Sends the log of the whole process to standard error, from now on.
///
/// # Errors
/// [`TryInitError`] where something else takes the log already.
pub fn install(settings: LogSettings) -> Result<Level, TryInitError> {
    let is_terminal = std::io::stderr().is_terminal();
    let layer = LogLayer {
        render: render(settings, is_terminal),
        now: SystemTime::now,
        // A log that nobody takes is no reason to stop.
        sink: |line: &str| drop(std::io::stderr().write_all(line.as_bytes())),
    };
    let (targets, level) = reload::Layer::new(targets(settings.level));
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Level(level))
}

/// A panic is a bug, told by its place. What it says may quote anything that was being worked on, a secret among it.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    tracing::error!(place, "the program has a bug: please report this line");
}

/// How a line is written.
fn render(settings: LogSettings, is_terminal: bool) -> fn(&Line) -> String {
    match settings.format {
        LogFormat::Json => json::render,
        LogFormat::Text if is_terminal && settings.colors => console::render,
        LogFormat::Text => logfmt::render,
    }
}

/// Which lines are written. Libraries are heard from `warn` on only, whatever level is asked for: what they say below that may hold
/// headers and addresses, and with them secrets. rustls is the exception. It warns of oddities in the handshakes of strangers, which anybody
/// could fill the log with. But it sees no HTTP and tells why a handshake failed, so at `trace` it may. kube is never heard: it writes whole answers of the API server, which
/// may be Secrets, and of what fails the one who called it tells.
fn targets(level: LogLevel) -> Targets {
    let level = filter(level);
    let libraries = level.min(LevelFilter::WARN);
    let handshakes = match level {
        LevelFilter::TRACE => LevelFilter::DEBUG,
        _ => LevelFilter::ERROR,
    };
    Targets::new()
        .with_default(libraries)
        .with_target("rustls", handshakes)
        .with_target("kube_client", LevelFilter::OFF)
        .with_target("kube_runtime", LevelFilter::OFF)
        .with_target("image_updater", level)
        .with_target("argocd_image_updater", level)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn libraries_are_never_heard_below_warn() {
        for level in [
            LogLevel::Trace,
            LogLevel::Debug,
            LogLevel::Info,
            LogLevel::Warn,
        ] {
            let targets = targets(level);
            for library in [
                "hyper::proto",
                "h2",
                "reqwest",
                "warp",
                "log",
                "tracing::span",
            ] {
                assert!(
                    targets.would_enable(library, &tracing::Level::WARN),
                    "{library}"
                );
                assert!(
                    !targets.would_enable(library, &tracing::Level::INFO),
                    "{library}"
                );
            }
        }
        let errors = targets(LogLevel::Error);
        assert!(!errors.would_enable("hyper", &tracing::Level::WARN));
        assert!(errors.would_enable("hyper", &tracing::Level::ERROR));
    }

    #[test]
    fn the_client_of_kubernetes_is_never_heard() {
        let targets = targets(LogLevel::Trace);
        for module in ["kube_client::client", "kube_runtime::watcher"] {
            assert!(
                !targets.would_enable(module, &tracing::Level::ERROR),
                "{module}"
            );
        }
    }

    #[test]
    fn the_program_itself_is_heard_from_the_level_that_is_asked_for() {
        let asked = targets(LogLevel::Debug);
        assert!(asked.would_enable("image_updater::app", &tracing::Level::DEBUG));
        assert!(!asked.would_enable("image_updater::app", &tracing::Level::TRACE));
        assert!(!asked.would_enable("rustls::msgs::handshake", &tracing::Level::WARN));
        assert!(asked.would_enable("rustls::server", &tracing::Level::ERROR));
        let all = targets(LogLevel::Trace);
        assert!(all.would_enable("argocd_image_updater", &tracing::Level::TRACE));
        assert!(all.would_enable("rustls::server", &tracing::Level::DEBUG));
        assert!(!all.would_enable("rustls::server", &tracing::Level::TRACE));
    }

    #[test]
    fn the_level_changes_while_lines_are_written() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let layer = LogLayer {
            render: logfmt::render,
            now: || SystemTime::UNIX_EPOCH,
            sink: move |line: &str| sink.lock().unwrap().push(line.to_owned()),
        };
        let (targets, handle) = reload::Layer::new(targets(LogLevel::Info));
        let level = Level(handle);
        let subscriber = tracing_subscriber::registry().with(targets).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("one");
            level.set(LogLevel::Debug);
            tracing::debug!("two");
            level.set(LogLevel::Warn);
            tracing::info!("three");
        });
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("two"), "{lines:?}");
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let settings = |format, colors| LogSettings {
            level: LogLevel::Info,
            format,
            colors,
        };
        let line = Line::sample();
        let shown = |settings, is_terminal| render(settings, is_terminal)(&line);
        let text = logfmt::render(&line);
        assert_eq!(
            shown(settings(LogFormat::Text, true), true),
            console::render(&line)
        );
        assert_eq!(shown(settings(LogFormat::Text, true), false), text);
        assert_eq!(shown(settings(LogFormat::Text, false), true), text);
        assert_eq!(
            shown(settings(LogFormat::Json, true), true),
            json::render(&line)
        );
    }
}
