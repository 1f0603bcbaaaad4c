//! The composition root: the only place that names adapters. Each command is a file.

mod asking;
mod cause;
mod configuration;
mod decode;
mod definition;
mod deliveries;
mod door;
mod following;
mod keeping;
mod lazy_secrets;
mod leadership;
mod listen;
mod metrics;
mod objects;
mod once_free;
mod probes;
mod quickstart;
mod registries;
mod resources;
mod secrets;
mod send;
mod serve;
mod server;
mod sharing;
mod template;
mod tls;
mod trial;
mod watchers;
mod working;

use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

pub use self::server::Server;
pub use self::server::StartError;
use crate::adapters::senders;
use crate::app::cli;
use crate::app::cli::Invocation;
use crate::app::settings::problem::EXIT_USAGE;
use crate::domain::sender::SenderProfile;

/// Does what a command line asks for, the program's name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let senders = profiles();
    match cli::parse(arguments, &senders) {
        Ok(Invocation::Print(text)) => print(text),
        Ok(Invocation::Serve { mode, flags }) => serve::run(mode, flags),
        Ok(Invocation::Config { mode, flags }) => configuration::show(mode, flags),
        Ok(Invocation::Decode(arguments)) => decode::run(arguments),
        Ok(Invocation::Deliveries(arguments)) => deliveries::run(arguments),
        Ok(Invocation::Send(arguments)) => send::run(arguments),
        Ok(Invocation::Test(arguments)) => trial::run(*arguments),
        Ok(Invocation::Template(arguments)) => template::run(&arguments),
        Ok(Invocation::Quickstart(arguments)) => quickstart::run(&arguments),
        Ok(Invocation::Definition) => definition::run(),
        Err(error) => complain(error, EXIT_USAGE),
    }
}

/// The types of senders that this program knows.
fn profiles() -> Vec<SenderProfile> {
    senders::all()
        .iter()
        .map(|sender| *sender.profile())
        .collect()
}

/// Prints on standard output. Whoever closed it wants to read no more, which is no failure.
fn print(text: impl Display) -> ExitCode {
    let _ = writeln!(io::stdout(), "{}", text.to_string().trim_end());
    ExitCode::SUCCESS
}

/// Says on standard error what is wrong.
fn complain(error: impl Display, code: u8) -> ExitCode {
    let _ = writeln!(
        io::stderr(),
        "{}: {}",
        cli::PROGRAM,
        error.to_string().trim_end()
    );
    ExitCode::from(code)
}

/// Runs something that waits. In the end a call to the system that hangs, such as one to a network file system, is not waited for.
fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    /// Time for a file that is being written.
    const LAST_CALLS: Duration = Duration::from_millis(200);
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            runtime.shutdown_timeout(LAST_CALLS);
            code
        }
        Err(error) => complain(format_args!("failed to start: {error}"), 1),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn the_end_waits_for_no_call_that_hangs() {
        let (release, hanging) = mpsc::channel::<()>();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            block_on(async {
                drop(tokio::task::spawn_blocking(move || hanging.recv()));
                ExitCode::SUCCESS
            });
            end.send(())
        });
        let in_time = ended.recv_timeout(Duration::from_secs(30));
        drop(release);
        assert_eq!(in_time, Ok(()));
    }
}
