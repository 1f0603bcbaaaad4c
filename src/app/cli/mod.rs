//! The command line: what the program is asked to do.

mod command;
mod completion;
pub mod decode_arguments;
pub mod deliveries_arguments;
pub mod flags;
pub mod quickstart_arguments;
pub mod send_arguments;
mod setting_flags;
pub mod template_arguments;
pub mod test_arguments;
mod test_command;
#[cfg(test)]
mod tests;
pub mod usage_error;
pub(in crate::app) mod version;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use clap_complete::Shell;

use self::decode_arguments::DecodeArguments;
use self::deliveries_arguments::DeliveriesArguments;
use self::flags::Flags;
use self::quickstart_arguments::QuickstartArguments;
use self::send_arguments::SendArguments;
use self::template_arguments::TemplateArguments;
use self::test_arguments::TestArguments;
use self::usage_error::UsageError;
use crate::app::settings::mode::Mode;
use crate::app::settings::table::Table;
use crate::domain::sender::SenderProfile;

/// The program's name.
pub const PROGRAM: &str = "argocd-image-updater";

/// What the program is asked to do. Its `Debug` shows no secret.
#[derive(Debug)]
pub enum Invocation {
    /// Run `webhook` or `run`.
    Serve {
        /// Which of them.
        mode: Mode,
        /// The settings that the command line gives.
        flags: Flags,
    },
    /// Show the settings of a command.
    Config {
        /// Of which.
        mode: Mode,
        /// The settings that the command line gives.
        flags: Flags,
    },
    /// Say what the server would make of a delivery.
    Decode(DecodeArguments),
    /// Show deliveries.
    Deliveries(DeliveriesArguments),
    /// Send a delivery.
    Send(SendArguments),
    /// Say what an image would be updated to.
    Test(Box<TestArguments>),
    /// Show the message of a commit.
    Template(TemplateArguments),
    /// Try it out.
    Quickstart(QuickstartArguments),
    /// Print the definition of the custom resource.
    Definition,
    /// Print this on standard output and end well: help, a version or a completion script.
    Print(String),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// [`UsageError`]; the program ends with [`EXIT_USAGE`](crate::app::settings::problem::EXIT_USAGE).
pub fn parse<I, T>(arguments: I, senders: &[SenderProfile]) -> Result<Invocation, UsageError>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let table = Table::new(senders);
    let program = command::program(&table, senders);
    let matches = match program.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            return match error.kind() {
                ErrorKind::DisplayHelp => Ok(Invocation::Print(error.to_string())),
                ErrorKind::DisplayVersion => Ok(Invocation::Print(version::short())),
                _ => Err(UsageError::from_clap(&error)),
            };
        }
    };
    let Some((name, own)) = matches.subcommand() else {
        return Err(UsageError::new("give a command"));
    };
    let line = Line {
        table: &table,
        before: Flags::default().and(&matches, &table),
        own,
    };
    match name {
        "webhook" => line.serve(Mode::Webhook),
        "run" => line.serve(Mode::Run),
        "config" => line.config(),
        "quickstart" => line.quickstart(),
        _ => {
            line.before.checked_none(name)?;
            other(name, own, senders, program)
        }
    }
}

/// A command line that has settings.
struct Line<'a> {
    table: &'a Table,
    /// What stands before the command.
    before: Flags,
    /// What stands after it.
    own: &'a ArgMatches,
}

impl Line<'_> {
    fn serve(self, mode: Mode) -> Result<Invocation, UsageError> {
        let flags = self.before.and(self.own, self.table);
        let flags = flags.checked(mode, self.table)?;
        Ok(Invocation::Serve { mode, flags })
    }

    fn config(self) -> Result<Invocation, UsageError> {
        let mode = match self.own.get_one::<String>(command::MODE) {
            Some(name) if name == Mode::Run.name() => Mode::Run,
            _ => Mode::Webhook,
        };
        let flags = self.before.and(self.own, self.table);
        let flags = flags.checked(mode, self.table)?;
        Ok(Invocation::Config { mode, flags })
    }

    fn quickstart(self) -> Result<Invocation, UsageError> {
        let flags = self.before.and(self.own, self.table);
        let log = flags.checked_log("quickstart", self.table)?;
        QuickstartArguments::read(self.own, log).map(Invocation::Quickstart)
    }
}

/// The commands that have no settings.
fn other(
    name: &str,
    own: &ArgMatches,
    senders: &[SenderProfile],
    program: Command,
) -> Result<Invocation, UsageError> {
    match name {
        "decode" => DecodeArguments::read(own, senders).map(Invocation::Decode),
        "deliveries" => DeliveriesArguments::read(own).map(Invocation::Deliveries),
        "crd" => Ok(Invocation::Definition),
        "send" => SendArguments::read(own, senders).map(Invocation::Send),
        "test" => TestArguments::read(own).map(|read| Invocation::Test(Box::new(read))),
        "template" => Ok(Invocation::Template(TemplateArguments::read(own))),
        "completion" => {
            let shell = own.get_one::<Shell>(command::SHELL);
            let shell = shell.ok_or_else(|| UsageError::new("give a shell"))?;
            Ok(Invocation::Print(completion::script(*shell, program)))
        }
        _ if own.get_flag(command::SHORT) => Ok(Invocation::Print(version::short())),
        _ => Ok(Invocation::Print(version::long())),
    }
}
