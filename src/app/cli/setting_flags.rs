//! The flags that the table of settings makes.

use std::ffi::OsString;

use clap::{Arg, Command, value_parser};

use crate::app::settings::kind::Kind;
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::{Effect, Setting};
use crate::app::settings::topic::Topic;

/// Adds a flag for each setting, under the heading of its topic. With a mode, only that command's defaults are told.
pub(super) fn add<'a>(
    command: Command,
    settings: impl Iterator<Item = &'a Setting>,
    mode: Option<Mode>,
) -> Command {
    let mut settings: Vec<_> = settings.collect();
    let place = |setting: &&Setting| Topic::ALL.iter().position(|topic| *topic == setting.topic);
    settings.sort_by_key(place);
    command.args(settings.into_iter().map(|row| flag(row, mode)))
}

/// The flag of a setting. It takes any value: what is allowed is judged with all sources together, so that every problem is reported.
pub(super) fn flag(setting: &Setting, mode: Option<Mode>) -> Arg {
    let arg = Arg::new(setting.key.clone())
        .long(setting.flag.clone())
        .value_name(setting.kind.placeholder())
        .value_parser(value_parser!(OsString))
        .help_heading(setting.topic.title())
        .help(help(setting, mode));
    match setting.kind {
        // `--enable-webhook run` must not take `run` for the value.
        Kind::Bool => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        // As in the Go program, a value may start with a dash.
        _ => arg.num_args(1).allow_hyphen_values(true),
    }
}

fn help(setting: &Setting, mode: Option<Mode>) -> String {
    let not_yet = match setting.effect {
        Effect::Acts | Effect::Never => "",
        Effect::NotYet => " No effect yet.",
    };
    let default = setting
        .default_text(mode)
        .map(|text| format!(" [default: {text}]"));
    let env = setting.env.as_ref().map(|name| format!(" [${name}]"));
    [
        setting.help.as_str(),
        not_yet,
        &default.unwrap_or_default(),
        &env.unwrap_or_default(),
    ]
    .concat()
}
