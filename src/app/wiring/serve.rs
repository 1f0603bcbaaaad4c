//! The commands `webhook` and `run`.

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tracing::error;
use tracing::info;

use crate::app::cli::flags::Flags;
use crate::app::settings::mode::Mode;
use crate::app::settings::notice::Notice;
use crate::app::settings::problem::EXIT_USAGE;
use crate::app::settings::snapshot::Snapshot;
use crate::app::shutdown::End;
use crate::app::telemetry;
use crate::app::wiring::Server;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::configuration;
use crate::app::wiring::following::FollowedSettings;
use crate::app::wiring::following::Following;

/// Loads the settings and serves; problems of the settings are all told before anything is started.
pub(super) fn run(mode: Mode, flags: Flags) -> ExitCode {
    block_on(async move {
        match start(mode, flags).await {
            Ok(code) => code,
            Err(error) => complain(error, 1),
        }
    })
}

async fn start(mode: Mode, flags: Flags) -> Result<ExitCode, Box<dyn Error>> {
    // Before anything else, so that no signal finds nobody who listens for it.
    let mut signal = signals()?;
    let configuration = tokio::select! {
        configuration = configuration::read(mode, flags) => configuration,
        () = signal() => return Ok(exit_code(End::Finished)),
    };
    let started = Snapshot::of(&configuration.loaded);
    let notices = configuration.loaded.notices.clone();
    let settings = match configuration.loaded.into_settings() {
        Ok(settings) => settings,
        Err(problems) => return Ok(complain(problems, EXIT_USAGE)),
    };
    let level = telemetry::install(settings.log)
        .map_err(|error| format!("failed to start the log: {error}"))?;
    info!(version = env!("CARGO_PKG_VERSION"), command = %mode, "starting");
    notices.iter().for_each(Notice::log);
    let inputs = configuration.inputs;
    let following = Following {
        objects: configuration.objects,
        settings: Some(FollowedSettings {
            load: Arc::new(move || inputs.load()),
            started,
            level: Box::new(move |wanted| level.set(wanted)),
        }),
    };
    match Server::build(settings, following).await {
        Ok(server) => Ok(exit_code(server.run(signal).await)),
        Err(error) => {
            error!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
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
