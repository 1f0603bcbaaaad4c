//! The commands `webhook` and `run`.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tracing::error;
use tracing::info;

use crate::app::cli::flags::Flags;
use crate::app::settings::Settings;
use crate::app::settings::mode::Mode;
use crate::app::settings::notice::Notice;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::shutdown::End;
use crate::app::telemetry;
use crate::app::wiring::Server;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::configuration;

/// Loads the settings and serves; problems of the settings are all told before anything is started.
pub(super) fn run(mode: Mode, flags: &Flags) -> ExitCode {
    let loaded = configuration::read(mode, flags);
    let notices = loaded.notices.clone();
    match loaded.into_settings() {
        Ok(settings) => start(settings, &notices),
        Err(problems) => complain(problems, EXIT_USAGE),
    }
}

fn start(settings: Settings, notices: &[Notice]) -> ExitCode {
    if let Err(error) = telemetry::install(settings.log) {
        return complain(format_args!("failed to start the log: {error}"), 1);
    }
    info!(version = env!("CARGO_PKG_VERSION"), command = %settings.mode, "starting");
    notices.iter().for_each(Notice::log);
    block_on(async {
        serve(settings).await.unwrap_or_else(|error| {
            error!("{error}");
            ExitCode::FAILURE
        })
    })
}

async fn serve(settings: Settings) -> Result<ExitCode, Box<dyn std::error::Error>> {
    // Before anything else, so that no signal finds nobody who listens for it.
    let signal = signals()?;
    let end = Server::build(settings).await?.run(signal).await;
    Ok(exit_code(end))
}

/// A process that was ended in order and ran out of time has said what is left; that is no failure of its own.
pub(super) fn exit_code(end: End) -> ExitCode {
    match end {
        End::Finished | End::OutOfTime => ExitCode::SUCCESS,
        End::Aborted | End::Failed => ExitCode::FAILURE,
    }
}

/// Waits for one signal to end, by a supervisor or from a keyboard, each time it is called.
pub(super) fn signals() -> io::Result<impl AsyncFnMut()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
