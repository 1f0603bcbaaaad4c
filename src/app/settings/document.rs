//! Writes `docs/CONFIGURATION.md` from the table.

use std::fmt::Write as _;

use super::setting::{Effect, Setting};
use super::table::Table;
use super::topic::Topic;

/// What stands above the tables.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The whole document.
#[must_use]
pub fn document(table: &Table) -> String {
    let mut text = INTRODUCTION.to_owned();
    for topic in Topic::ALL {
        let of_topic: Vec<_> = table.iter().filter(|row| row.topic == topic).collect();
        write_topic(&mut text, topic, &of_topic);
    }
    text
}

fn write_topic(text: &mut String, topic: Topic, settings: &[&Setting]) {
    let _ = writeln!(text, "\n## {topic}\n");
    text.push_str("| Flag | Variable | Key | Default | Command | Meaning |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for setting in settings {
        let _ = writeln!(text, "{}", line(setting));
    }
}

fn line(setting: &Setting) -> String {
    let code = |text: &str| format!("`{text}`");
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let key = (setting.in_config_map || setting.is_secret()).then(|| code(&setting.key));
    let command = setting.only.map_or("both", |mode| mode.name());
    let mut meaning = setting.help.clone();
    if setting.effect == Effect::NotYet {
        meaning.push_str(" **No effect yet.**");
    }
    if setting.is_live {
        meaning.push_str(" A change counts without a restart.");
    }
    format!(
        "| {} | {} | {} | {} | {command} | {} |",
        code(&format!("--{}", setting.flag)),
        or_none(setting.env.as_deref().map(code)),
        or_none(key),
        or_none(setting.default_text(None)),
        meaning.replace('|', "\\|"),
    )
}
