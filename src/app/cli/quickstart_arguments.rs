//! What `quickstart` is asked to do.

use std::path::PathBuf;

use clap::ArgMatches;

use super::command;
use super::decode_arguments::text;
use super::flags::Flags;
use super::usage_error::UsageError;

/// What `quickstart` is asked to do.
#[derive(Debug, Clone)]
pub struct QuickstartArguments {
    /// Where the manifests are written; `None`: somewhere.
    pub dir: Option<PathBuf>,
    /// Whether it ends after the first update.
    pub once: bool,
    /// The port of the server; 0: any that is free.
    pub port: u16,
    /// The settings of the log that the command line gives.
    pub log: Flags,
}

impl QuickstartArguments {
    pub(super) fn read(matches: &ArgMatches, log: Flags) -> Result<Self, UsageError> {
        let port = text(matches, command::PORT).parse();
        let wrong = |_| UsageError::new("give --port as a whole number from 0 to 65535");
        Ok(Self {
            dir: matches.get_one::<PathBuf>(command::DIR).cloned(),
            once: matches.get_flag(command::ONCE),
            port: port.map_err(wrong)?,
            log,
        })
    }
}
