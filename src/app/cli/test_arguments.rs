//! What `test` is asked to do.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::ArgMatches;

use super::test_command;
use super::usage_error::UsageError;
use crate::app::settings::LogLevel;
use crate::domain::reference::Reference;
use crate::domain::reference::split_name;
use crate::domain::registry::credential_source::CredentialSource;

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

impl TestArguments {
    pub(super) fn read(matches: &ArgMatches) -> Result<Self, UsageError> {
        let text = |name| matches.get_one::<String>(name).cloned();
        let all = |name| -> Vec<String> {
            let given = matches.get_many::<String>(name).unwrap_or_default();
            given.filter(|text| !text.is_empty()).cloned().collect()
        };
        let path = |name| matches.get_one::<PathBuf>(name).cloned();
        let (image, ignored_version) = image(&text(test_command::IMAGE).unwrap_or_default())?;
        let log_level = matches.get_one(test_command::LOG_LEVEL).copied();
        let output = matches.get_one(test_command::OUTPUT).copied();
        Ok(Self {
            image,
            ignored_version,
            constraint: text(test_command::CONSTRAINT),
            allow_tags: text(test_command::ALLOW),
            ignore_tags: all(test_command::IGNORE),
            strategy: text(test_command::STRATEGY),
            registries: path(test_command::REGISTRIES),
            log_level: log_level.unwrap_or(LogLevel::Warn),
            kubeconfig: path(test_command::KUBECONFIG).filter(|path| !path.as_os_str().is_empty()),
            credentials: credentials(text(test_command::CREDENTIALS))?,
            platforms: all(test_command::PLATFORMS),
            rate_limit: matches.get_one(test_command::RATE_LIMIT).copied(),
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
