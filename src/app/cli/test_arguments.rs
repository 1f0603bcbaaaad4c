//! What `test` is asked to do.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Arg;
use clap::ArgMatches;
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::value_parser;

use super::command::command;
use super::command::option;
use super::usage_error::UsageError;
use crate::app::settings::LogLevel;
use crate::domain::reference::Reference;
use crate::domain::reference::split_name;
use crate::domain::registry::credential_source::CredentialSource;

const IMAGE: &str = "image";
const CONSTRAINT: &str = "semver-constraint";
const ALLOW: &str = "allow-tags";
const IGNORE: &str = "ignore-tags";
const STRATEGY: &str = "update-strategy";
const REGISTRIES: &str = "registries-conf-path";
const LOG_LEVEL: &str = "loglevel";
const KUBECONFIG: &str = "kubeconfig";
const CREDENTIALS: &str = "credentials";
const PLATFORMS: &str = "platforms";
const RATE_LIMIT: &str = "rate-limit";
const OUTPUT: &str = "output";

/// What `test` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestArguments {
    /// The image; its tag and digest do not count.
    pub image: Reference,
    /// What stands after the colon of the image and does not count.
    pub ignored_version: Option<String>,
    /// `--semver-constraint`.
    pub constraint: Option<String>,
    /// `--allow-tags`.
    pub allow_tags: Option<String>,
    /// `--ignore-tags`, each.
    pub ignore_tags: Vec<String>,
    /// `--update-strategy`.
    pub strategy: Option<String>,
    /// The file that describes registries, if one is named; empty: none is to be read.
    pub registries: Option<PathBuf>,
    /// The least severe lines that are logged.
    pub log_level: LogLevel,
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// Credentials in place of the registry's own.
    pub credentials: Option<CredentialSource>,
    /// `--platforms`, each.
    pub platforms: Vec<String>,
    /// How many requests the registry gets in a second, in place of its own limit.
    pub rate_limit: Option<NonZeroU32>,
    /// How the verdict is printed.
    pub output: Output,
}

/// How a verdict is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// The command, for clap.
pub(super) fn definition() -> Command {
    let any = |name, value, help| option(name, value, help).allow_hyphen_values(true);
    command("test")
        .about("Asks the registry what an image would be updated to, and changes nothing.")
        .after_help("Exit code 0: the question was answered, with nothing to choose too. 1: it could not be answered.")
        .arg(
            Arg::new(IMAGE)
                .value_name("IMAGE")
                .required(true)
                .help("The image, such as quay.io/acme/web; a tag does not count, the constraint is a flag"),
        )
        .args([
            any(CONSTRAINT, "CONSTRAINT", "The versions that are wanted, such as ~1.2; with strategy digest the tag to follow"),
            any(ALLOW, "RULE", "The tags that are looked at: any, or regexp:<expression> [default: any]"),
            any(IGNORE, "PATTERN", "Tags that are not looked at, as a glob; it may be repeated, and hold several with commas")
                .action(clap::ArgAction::Append)
                .value_delimiter(','),
            option(STRATEGY, "STRATEGY", "semver, newest-build, alphabetical or digest").default_value("semver"),
            option(PLATFORMS, "PLATFORMS", "The platforms of which the image has to be for one, such as linux/amd64,linux/arm64 [default: any]")
                .action(clap::ArgAction::Append)
                .value_delimiter(','),
        ])
        .next_help_heading("Registry")
        .args([
            option(REGISTRIES, "PATH", "File that describes registries; empty: none [default: /app/config/registries.conf where it is there]")
                .value_parser(value_parser!(PathBuf)),
            option(CREDENTIALS, "SOURCE", "Where credentials are: pullsecret:<namespace>/<name>, secret:<namespace>/<name>#<field>, env:<variable> or ext:<absolute path>"),
            option(RATE_LIMIT, "NUMBER", "Requests a second, in place of the registry's own limit")
                .value_parser(value_parser!(NonZeroU32)),
            option(KUBECONFIG, "PATH", "The way to the cluster, where credentials are in a Secret")
                .value_parser(value_parser!(PathBuf)),
        ])
        .next_help_heading("Output")
        .args([
            option(OUTPUT, "FORM", "text for people, json for programs")
                .default_value("text")
                .value_parser(PossibleValuesParser::new(["text", "json"]).map(|form| output(&form))),
            option(LOG_LEVEL, "LEVEL", "The least severe lines that are logged, on standard error")
                .default_value("warn")
                .ignore_case(true)
                .value_parser(
                    PossibleValuesParser::new(["trace", "debug", "info", "warn", "error"])
                        .map(|level| log_level(&level)),
                ),
        ])
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

impl TestArguments {
    pub(super) fn read(matches: &ArgMatches) -> Result<Self, UsageError> {
        let text = |name| matches.get_one::<String>(name).cloned();
        let all = |name| -> Vec<String> {
            let given = matches.get_many::<String>(name).unwrap_or_default();
            given.filter(|text| !text.is_empty()).cloned().collect()
        };
        let path = |name| matches.get_one::<PathBuf>(name).cloned();
        let (image, ignored_version) = image(&text(IMAGE).unwrap_or_default())?;
        let log_level = matches.get_one(LOG_LEVEL).copied();
        let output = matches.get_one(OUTPUT).copied();
        Ok(Self {
            image,
            ignored_version,
            constraint: text(CONSTRAINT),
            allow_tags: text(ALLOW),
            ignore_tags: all(IGNORE),
            strategy: text(STRATEGY),
            registries: path(REGISTRIES),
            log_level: log_level.unwrap_or(LogLevel::Warn),
            kubeconfig: path(KUBECONFIG).filter(|path| !path.as_os_str().is_empty()),
            credentials: credentials(text(CREDENTIALS))?,
            platforms: all(PLATFORMS),
            rate_limit: matches.get_one(RATE_LIMIT).copied(),
            output: output.unwrap_or(Output::Text),
        })
    }
}

/// `[alias=]name[:anything][@digest]`: the name, and what stands behind it.
fn image(text: &str) -> Result<(Reference, Option<String>), UsageError> {
    let is_alias = |alias: &str| !alias.contains(['/', ':', '@']);
    let text = match text.split_once('=') {
        Some((alias, image)) if is_alias(alias) => image,
        Some(_) | None => text,
    };
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(format!("@{digest}"))),
        None => (text, None),
    };
    let (name, tag) = split_name(rest);
    let image =
        Reference::parse(name).map_err(|error| UsageError::new(format!("IMAGE: {error}")))?;
    let tag = tag.map(|tag| format!(":{tag}"));
    let version = [tag, digest].into_iter().flatten().collect::<String>();
    Ok((image, (!version.is_empty()).then_some(version)))
}

fn credentials(text: Option<String>) -> Result<Option<CredentialSource>, UsageError> {
    let text = text.filter(|text| !text.is_empty());
    let source = text.map(|text| CredentialSource::parse(&text)).transpose();
    source.map_err(|error| UsageError::new(format!("--credentials: {error}")))
}
