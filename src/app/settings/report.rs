//! What the command `config` prints.

use std::fmt::Write as _;

use figment::value::Value;

use super::load::Loaded;
use super::problem::quoted;
use super::setting::Setting;
use super::topic::Topic;

impl Loaded {
    /// Every effective setting with its source, then what is to be said about them, then what would stop the start. Secrets are counted,
    /// not shown.
    #[must_use]
    pub fn report(&self) -> String {
        let origins: Vec<String> = self.values.origins().map(ToString::to_string).collect();
        let mut text = format!(
            "Settings of {}. Sources, weakest first: {}.\n",
            self.mode,
            origins.join(", ")
        );
        let rows: Vec<Row> = self.table.of(self.mode).map(|row| self.row(row)).collect();
        for topic in Topic::ALL {
            write_topic(&mut text, topic, &rows);
        }
        self.write_notices(&mut text);
        self.write_problems(&mut text);
        text
    }

    fn row(&self, setting: &Setting) -> Row {
        let raw = self.values.raw(&setting.key);
        Row {
            topic: setting.topic,
            key: setting.key.clone(),
            value: shown(setting, raw.as_ref()),
            place: self.values.place(&setting.key).unwrap_or_default(),
        }
    }

    fn write_notices(&self, text: &mut String) {
        let loud = |notice: &&_| super::notice::Notice::level(notice) <= tracing::Level::WARN;
        let mut notices = self.notices.iter().filter(loud).peekable();
        if notices.peek().is_some() {
            text.push_str("\nWarnings\n");
        }
        for notice in notices {
            let _ = writeln!(text, "  {notice}");
        }
    }

    fn write_problems(&self, text: &mut String) {
        if self.problems.is_empty() {
            text.push_str("\nNothing in these settings stops the start.\n");
            return;
        }
        let _ = writeln!(text, "\nProblems that stop the start");
        for problem in &self.problems {
            let _ = writeln!(text, "  {problem}");
        }
    }
}

/// A value of a setting as people read it, on one line.
pub(super) fn shown(setting: &Setting, value: Option<&Value>) -> String {
    match value.map(|value| setting.kind.show(value)) {
        Some(shown) if shown.is_empty() => "(empty)".to_owned(),
        Some(shown) => plain(&shown),
        None => "(not set)".to_owned(),
    }
}

struct Row {
    topic: Topic,
    key: String,
    value: String,
    place: String,
}

fn write_topic(text: &mut String, topic: Topic, rows: &[Row]) {
    let width = |column: fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or_default().min(40)
    };
    let (keys, values) = (width(|row| &row.key), width(|row| &row.value));
    let mut of_topic = rows.iter().filter(|row| row.topic == topic).peekable();
    if of_topic.peek().is_some() {
        let _ = writeln!(text, "\n{topic}");
    }
    for Row {
        key, value, place, ..
    } in of_topic
    {
        let line = format!("  {key:keys$}  {value:values$}  {place}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A value as it is, unless something in it would break the line.
fn plain(value: &str) -> String {
    if value.chars().any(char::is_control) {
        quoted(value)
    } else {
        value.to_owned()
    }
}
