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

use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::line::Line;
use self::log_layer::LogLayer;
use crate::app::settings::{LogFormat, LogLevel, LogSettings};

/// Sends the log of the whole process to standard error, from now on.
///
/// # Errors
/// [`TryInitError`] where something else takes the log already.
pub fn install(settings: LogSettings) -> Result<(), TryInitError> {
    let is_terminal = std::io::stderr().is_terminal();
    let layer = LogLayer {
        render: render(settings, is_terminal),
        now: SystemTime::now,
        // A log that nobody takes is no reason to stop.
        sink: |line: &str| drop(std::io::stderr().write_all(line.as_bytes())),
    };
    tracing_subscriber::registry()
        .with(targets(settings.level))
        .with(layer)
        .try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
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
    use tracing::Level;

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
                assert!(targets.would_enable(library, &Level::WARN), "{library}");
                assert!(!targets.would_enable(library, &Level::INFO), "{library}");
            }
        }
        let errors = targets(LogLevel::Error);
        assert!(!errors.would_enable("hyper", &Level::WARN));
        assert!(errors.would_enable("hyper", &Level::ERROR));
    }

    #[test]
    fn the_client_of_kubernetes_is_never_heard() {
        let targets = targets(LogLevel::Trace);
        for module in ["kube_client::client", "kube_runtime::watcher"] {
            assert!(!targets.would_enable(module, &Level::ERROR), "{module}");
        }
    }

    #[test]
    fn the_program_itself_is_heard_from_the_level_that_is_asked_for() {
        let asked = targets(LogLevel::Debug);
        assert!(asked.would_enable("image_updater::app", &Level::DEBUG));
        assert!(!asked.would_enable("image_updater::app", &Level::TRACE));
        assert!(!asked.would_enable("rustls::msgs::handshake", &Level::WARN));
        assert!(asked.would_enable("rustls::server", &Level::ERROR));
        let all = targets(LogLevel::Trace);
        assert!(all.would_enable("argocd_image_updater", &Level::TRACE));
        assert!(all.would_enable("rustls::server", &Level::DEBUG));
        assert!(!all.would_enable("rustls::server", &Level::TRACE));
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
