//! The command `test`, for clap.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Arg;
use clap::ArgAction;
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::value_parser;

use super::command::command;
use super::command::option;
use super::command::repeatable;
use super::test_arguments::Output;
use crate::app::settings::LogLevel;
use crate::app::settings::topic::Topic;

pub(super) const IMAGE: &str = "image";
pub(super) const CONSTRAINT: &str = "semver-constraint";
pub(super) const ALLOW: &str = "allow-tags";
pub(super) const IGNORE: &str = "ignore-tags";
pub(super) const STRATEGY: &str = "update-strategy";
pub(super) const PLATFORMS: &str = "platforms";
pub(super) const REGISTRIES: &str = "registries-conf-path";
pub(super) const CREDENTIALS: &str = "credentials";
pub(super) const RATE_LIMIT: &str = "rate-limit";
pub(super) const KUBECONFIG: &str = "kubeconfig";
pub(super) const LOG_LEVEL: &str = "loglevel";
pub(super) const OUTPUT: &str = "output";

/// The command. Its flags are those of the Go program, and `--output`.
pub(super) fn definition() -> Command {
    command("test")
        .about("Asks the registry what an image would be updated to, and changes nothing.")
        .after_help(
            "Exit code 0: the question was answered, also where nothing can be chosen. 1: it could not be answered.",
        )
        .arg(
            Arg::new(IMAGE)
                .value_name("IMAGE")
                .required(true)
                .help("The image, such as quay.io/acme/web; its tag does not count, the constraint is a flag"),
        )
        .arg(
            option(OUTPUT, "FORM", "text for people, json for programs")
                .default_value("text")
                .value_parser(
                    PossibleValuesParser::new(["text", "json"]).map(|form| output(&form)),
                ),
        )
        .next_help_heading("Policy")
        .args(policy())
        .next_help_heading(Topic::Registries.title())
        .args(registries())
        .next_help_heading(Topic::Kubernetes.title())
        .arg(
            option(
                KUBECONFIG,
                "PATH",
                "Kubeconfig file; the cluster is needed for credentials in a Secret alone",
            )
            .value_parser(value_parser!(PathBuf)),
        )
        .next_help_heading(Topic::Logging.title())
        .arg(logging())
}

fn policy() -> [Arg; 5] {
    [
        option(
            CONSTRAINT,
            "CONSTRAINT",
            "The versions that are wanted, such as ~1.2; with strategy digest the tag to follow",
        )
        .allow_hyphen_values(true),
        option(
            ALLOW,
            "RULE",
            "The tags that are looked at: any, or regexp:<expression> [default: any]",
        )
        .allow_hyphen_values(true),
        repeatable(
            IGNORE,
            "PATTERN",
            "Tags that are not looked at, as a glob; it may be repeated",
        ),
        option(
            STRATEGY,
            "STRATEGY",
            "semver, newest-build, alphabetical or digest",
        )
        .default_value("semver"),
        option(
            PLATFORMS,
            "PLATFORMS",
            "The image has to be for one of these, such as linux/amd64,linux/arm64 [default: any]",
        )
        .action(ArgAction::Append)
        .value_delimiter(','),
    ]
}

fn registries() -> [Arg; 3] {
    [
        option(
            REGISTRIES,
            "PATH",
            "File that describes registries; empty: none [default: /app/config/registries.conf where it is there]",
        )
        .value_parser(value_parser!(PathBuf)),
        option(
            CREDENTIALS,
            "SOURCE",
            "Where credentials are: pullsecret:<namespace>/<name>, secret:<namespace>/<name>#<field>, env:<variable> or ext:<absolute path>",
        ),
        option(
            RATE_LIMIT,
            "NUMBER",
            "Requests a second, in place of the registry's own limit",
        )
        .value_parser(value_parser!(NonZeroU32)),
    ]
}

fn logging() -> Arg {
    let levels = PossibleValuesParser::new(["trace", "debug", "info", "warn", "error"]);
    option(
        LOG_LEVEL,
        "LEVEL",
        "The least severe lines that are logged, on standard error",
    )
    .default_value("warn")
    .ignore_case(true)
    .value_parser(levels.map(|level| log_level(&level)))
}

fn output(form: &str) -> Output {
    match form {
        "json" => Output::Json,
        _ => Output::Text,
    }
}

fn log_level(level: &str) -> LogLevel {
    match level.to_ascii_lowercase().as_str() {
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "error" => LogLevel::Error,
        _ => LogLevel::Warn,
    }
}
