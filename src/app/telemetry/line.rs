//! One line of the log, before it is written.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::SystemTime;

use serde_json::Value;
use tracing::Level;

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// When it was made.
    pub(super) time: SystemTime,
    /// How severe it is.
    pub(super) level: Level,
    /// What it says.
    pub(super) message: String,
    /// Names and values, each name once.
    pub(super) fields: Vec<(Cow<'static, str>, Value)>,
}

impl Line {
    /// The time as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) has it, in UTC.
    pub(super) fn timestamp(&self) -> String {
        humantime::format_rfc3339_millis(self.time).to_string()
    }

    /// The level by the name that the Go program gives it.
    pub(super) fn level_name(&self) -> &'static str {
        match self.level {
            Level::TRACE => "trace",
            Level::DEBUG => "debug",
            Level::INFO => "info",
            Level::WARN => "warning",
            Level::ERROR => "error",
        }
    }

    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            time: SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_795_521_600_250),
            level: Level::WARN,
            message: "image changed".to_owned(),
            fields: vec![
                ("image".into(), "ghcr.io/a/b:1.2".into()),
                ("reason".into(), "say \"hi\"\nnow".into()),
                ("count".into(), 3.into()),
                ("done".into(), true.into()),
                ("empty".into(), "".into()),
            ],
        }
    }
}

/// Escapes what would break a line, hide a part of it or steer a terminal. Quotes and backslashes are escaped too, so that the result
/// between quotes is a JSON string.
pub(super) fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            c if is_invisible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(into, "\\u{unit:04x}");
                }
            }
            c => into.push(c),
        }
    }
}

/// Control characters, line and paragraph separators, and what changes the direction of text or takes no room.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}
