//! The settings that a command line gives.

use std::ffi::OsString;

use clap::ArgMatches;

use super::usage_error::UsageError;
use crate::app::settings::kind::Kind;
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::Setting;
use crate::app::settings::table::Table;
use crate::app::settings::topic::Topic;
use crate::ports::config_source::{ConfigSource, ConfigSourceError, ConfigValue};

/// Flags that were given, each once. `Debug` shows no value.
#[derive(Debug, Clone, Default)]
pub struct Flags(Vec<ConfigValue>);

impl Flags {
    /// Sets a flag, such as `--webhook-port`, in place of what was given for it.
    #[must_use]
    pub fn with(mut self, flag: &str, value: &str) -> Self {
        self.0.retain(|given| given.key != flag);
        self.0.push(ConfigValue {
            key: flag.to_owned(),
            value: value.to_owned(),
        });
        self
    }

    /// Adds the flags of further matches, which are stronger.
    pub(super) fn and(self, matches: &ArgMatches, table: &Table) -> Self {
        let given = table.iter().filter_map(|setting| {
            let value = matches.try_get_one::<OsString>(&setting.key).ok()??;
            Some((setting, value.to_string_lossy()))
        });
        given.fold(self, |flags, (setting, value)| {
            flags.with(&name(setting), as_in_files(setting.kind, &value))
        })
    }

    /// Checks that a command has all of these flags.
    pub(super) fn checked(self, mode: Mode, table: &Table) -> Result<Self, UsageError> {
        for setting in self.settings(table) {
            if !setting.is_of(mode) {
                return Err(UsageError::misplaced(&name(setting), mode.name()));
            }
        }
        Ok(self)
    }

    /// Checks that all of these are about the log.
    pub(super) fn checked_log(self, command: &str, table: &Table) -> Result<Self, UsageError> {
        for setting in self.settings(table) {
            if setting.topic != Topic::Logging {
                return Err(UsageError::misplaced(&name(setting), command));
            }
        }
        Ok(self)
    }

    /// Checks that there is none.
    pub(super) fn checked_none(&self, command: &str) -> Result<(), UsageError> {
        match self.0.first() {
            Some(given) => Err(UsageError::misplaced(&given.key, command)),
            None => Ok(()),
        }
    }

    fn settings<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = &'a Setting> {
        let is_given = |setting: &&Setting| self.0.iter().any(|given| given.key == name(setting));
        table.iter().filter(is_given)
    }
}

impl ConfigSource for Flags {
    fn values(&self) -> Result<Vec<ConfigValue>, ConfigSourceError> {
        Ok(self.0.clone())
    }
}

fn name(setting: &Setting) -> String {
    format!("--{}", setting.flag)
}

/// Flags take the short words for true and false too, as those of
/// [Go programs](https://pkg.go.dev/strconv#ParseBool) do; the other sources take the long ones alone.
fn as_in_files(kind: Kind, value: &str) -> &str {
    match (kind, value) {
        (Kind::Bool, "1" | "t" | "T") => "true",
        (Kind::Bool, "0" | "f" | "F") => "false",
        _ => value,
    }
}
