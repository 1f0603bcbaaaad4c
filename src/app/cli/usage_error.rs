//! A command line that cannot be understood.

use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::PROGRAM;

/// What is wrong with a command line. It never repeats a value that was given, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(String);

impl UsageError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A flag that a command does not have.
    pub(super) fn misplaced(flag: &str, command: &str) -> Self {
        Self(format!("{flag} is no flag of {command}"))
    }

    /// Says what clap found, without the values that clap would repeat.
    pub(super) fn from_clap(error: &clap::Error) -> Self {
        let told = |kind| error.get(kind).map(as_text).unwrap_or_default();
        let argument = told(ContextKind::InvalidArg);
        let text = match error.kind() {
            ErrorKind::UnknownArgument => unknown(&argument, &told(ContextKind::SuggestedArg)),
            ErrorKind::InvalidSubcommand => {
                let meant = told(ContextKind::SuggestedSubcommand);
                format!("there is no such command{}", did_you_mean(&meant))
            }
            ErrorKind::MissingSubcommand => "give a command".to_owned(),
            ErrorKind::MissingRequiredArgument => format!("{argument} is missing"),
            ErrorKind::InvalidValue => {
                let allowed = told(ContextKind::ValidValue);
                if allowed.is_empty() {
                    format!("{argument} needs a value")
                } else {
                    format!("{argument} is none of: {allowed}")
                }
            }
            ErrorKind::ArgumentConflict => {
                format!(
                    "{argument} and {} exclude each other",
                    told(ContextKind::PriorArg)
                )
            }
            kind => {
                let reason = kind.as_str().unwrap_or("the command line is wrong");
                format!("{argument} {reason}").trim_start().to_owned()
            }
        };
        Self(text)
    }
}

fn unknown(argument: &str, meant: &str) -> String {
    // What follows a "=" is a value. What is no flag may be one, such as a secret with a blank in it.
    match argument.split('=').next() {
        Some(flag) if flag.starts_with("--") => {
            format!("there is no flag {flag}{}", did_you_mean(meant))
        }
        _ => "there is an argument too many; values with blanks need quotes, and true or false an equals sign, as in --disable-tls=true".to_owned(),
    }
}

fn did_you_mean(meant: &str) -> String {
    if meant.is_empty() {
        String::new()
    } else {
        format!("; did you mean {meant}?")
    }
}

fn as_text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        _ => String::new(),
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; see {PROGRAM} --help", self.0)
    }
}

impl std::error::Error for UsageError {}
