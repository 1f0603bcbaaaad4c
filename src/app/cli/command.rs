//! The program's commands, for clap.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};
use clap_complete::Shell;

use super::{PROGRAM, deliveries_arguments, setting_flags, template_arguments, test_command};
use crate::app::settings::mode::Mode;
use crate::app::settings::table::Table;
use crate::app::settings::topic::Topic;
use crate::domain::sender::SenderProfile;

/// How wide a help text is at the most.
const WIDTH: usize = 100;

pub(super) const MODE: &str = "command";
pub(super) const SHELL: &str = "shell";
pub(super) const SHORT: &str = "short";
pub(super) const TYPE: &str = "type";
pub(super) const SECRET: &str = "secret";
pub(super) const SECRET_FILE: &str = "secret-file";
pub(super) const HEADER: &str = "header";
pub(super) const QUERY: &str = "query";
pub(super) const LIST: &str = "list";
pub(super) const FILE: &str = "file";
pub(super) const IMAGE: &str = "image";
pub(super) const URL: &str = "url";
pub(super) const INSECURE: &str = "insecure";
pub(super) const DIR: &str = "dir";
pub(super) const ONCE: &str = "quickstart-once";
pub(super) const PORT: &str = "port";

/// The whole command line. Settings may stand before the command too, hidden from the list of commands.
pub(super) fn program(table: &Table, senders: &[SenderProfile]) -> Command {
    let settings = table
        .iter()
        .map(|row| setting_flags::flag(row, None).hide(true));
    Command::new(PROGRAM)
        .about("Runs the image that a registry just announced: updates Argo CD Applications on webhooks.")
        .after_help(format!(
            "The flags of webhook and run may stand before the command too; {PROGRAM} webhook --help lists them."
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .max_term_width(WIDTH)
        .args_override_self(true)
        .args(settings)
        .subcommands([
            serve(Mode::Webhook, table).about("Takes deliveries of registries and updates Applications."),
            serve(Mode::Run, table).about("Looks at registries at an interval and updates Applications; takes deliveries too, with --enable-webhook."),
            config(table),
            decode(senders),
            deliveries_arguments::definition(),
            send(senders),
            test_command::definition(),
            template_arguments::definition(),
            quickstart(table),
            crd(),
            version(),
            completion(),
        ])
}

pub(super) fn command(name: &'static str) -> Command {
    Command::new(name)
        .max_term_width(WIDTH)
        .args_override_self(true)
}

fn serve(mode: Mode, table: &Table) -> Command {
    let command = command(mode.name()).after_help(
        "Flags are stronger than environment variables ($NAME), and those than files of a mounted ConfigMap. \
         A boolean flag alone means true. The command config shows what is in effect.",
    );
    setting_flags::add(command, table.of(mode), Some(mode))
}

fn config(table: &Table) -> Command {
    let mode = Arg::new(MODE)
        .value_name("COMMAND")
        .value_parser(["webhook", "run"])
        .default_value("webhook")
        .help("Of which command");
    let command = command("config")
        .about(
            "Shows the effective settings with their sources, and all that would stop the start.",
        )
        .arg(mode);
    setting_flags::add(command, table.iter(), None)
}

fn decode(senders: &[SenderProfile]) -> Command {
    command("decode")
        .about("Says, as one JSON object, what the server would make of a delivery.")
        .arg(sender_type(senders).required_unless_present(LIST))
        .arg(secret(
            "The secret that the delivery has to know; without it, authentication is not looked at",
        ))
        .arg(repeatable(
            HEADER,
            "NAME: VALUE",
            "A header of the delivery",
        ))
        .arg(repeatable(
            QUERY,
            "NAME=VALUE",
            "A query parameter, not encoded",
        ))
        .arg(switch(LIST, LIST, "Lists the types of senders instead"))
        .arg(
            Arg::new(FILE)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The body; - or nothing: standard input"),
        )
}

fn send(senders: &[SenderProfile]) -> Command {
    command("send")
        .about("Sends a delivery as a registry would.")
        .arg(sender_type(senders).required(true))
        .arg(
            option(
                IMAGE,
                "IMAGE",
                "The image, with its tag and optionally its digest",
            )
            .required(true),
        )
        .arg(
            option(
                URL,
                "URL",
                "The webhook's address, such as https://localhost:8080/webhook",
            )
            .required(true),
        )
        .arg(secret("The secret").conflicts_with(SECRET_FILE))
        .arg(
            option(SECRET_FILE, "FILE", "A file that holds the secret")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(switch(INSECURE, INSECURE, "Accepts any certificate"))
}

fn quickstart(table: &Table) -> Command {
    let command = command("quickstart")
        .about("Tries it out: writes example manifests, starts the server on them and sends it a delivery.")
        .arg(option(DIR, "FOLDER", "Where the manifests are written").value_parser(value_parser!(PathBuf)))
        .arg(switch(ONCE, "once", "Ends after the first update"))
        .arg(option(PORT, "NUMBER", "The port of the server; 0: any that is free").default_value("0"));
    let log = table
        .iter()
        .filter(|setting| setting.topic == Topic::Logging);
    setting_flags::add(command, log, None)
}

fn crd() -> Command {
    command("crd")
        .about("Prints the definition of the custom resource ImageUpdater, for kubectl apply.")
}

fn version() -> Command {
    command("version")
        .about("Says which version this is.")
        .arg(switch(SHORT, SHORT, "The version alone"))
}

fn completion() -> Command {
    command("completion")
        .about("Prints a script that makes a shell complete command lines.")
        .arg(
            Arg::new(SHELL)
                .value_name("SHELL")
                .value_parser(value_parser!(Shell))
                .required(true)
                .help("The shell"),
        )
}

pub(super) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

pub(super) fn repeatable(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help)
        .action(ArgAction::Append)
        .allow_hyphen_values(true)
}

fn secret(help: &'static str) -> Arg {
    option(SECRET, "SECRET", help).allow_hyphen_values(true)
}

fn switch(id: &'static str, long: &'static str, help: &'static str) -> Arg {
    Arg::new(id)
        .long(long)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn sender_type(senders: &[SenderProfile]) -> Arg {
    let names: Vec<_> = senders.iter().map(|sender| sender.name).collect();
    option(TYPE, "TYPE", "The type of sender").value_parser(names)
}
