//! What `template` is asked to do.

use std::path::PathBuf;

use clap::Arg;
use clap::ArgMatches;
use clap::Command;
use clap::value_parser;

use super::command::command;

const PATH: &str = "path";

/// The file with the template; `None`: the built-in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateArguments(pub Option<PathBuf>);

/// The command, for clap.
pub(super) fn definition() -> Command {
    command("template")
        .about("Shows the message of a git commit as a template makes it, with made-up changes.")
        .arg(
            Arg::new(PATH)
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .help("A file with a Go template; nothing: the built-in template"),
        )
}

impl TemplateArguments {
    pub(super) fn read(matches: &ArgMatches) -> Self {
        Self(matches.get_one::<PathBuf>(PATH).cloned())
    }
}
