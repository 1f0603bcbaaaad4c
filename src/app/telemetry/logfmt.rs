//! Lines as `key=value` pairs, as [logrus](https://github.com/sirupsen/logrus) writes them.

use serde_json::Value;

use super::line::{Line, escape};

/// The line, with its end.
pub(super) fn render(line: &Line) -> String {
    let mut text = format!(
        "time=\"{}\" level={} msg=",
        line.timestamp(),
        line.level_name()
    );
    push_text(&line.message, &mut text);
    for (name, value) in &line.fields {
        text.push(' ');
        text.push_str(name);
        text.push('=');
        push_value(value, &mut text);
    }
    text.push('\n');
    text
}

/// A value, quoted where it has to be.
pub(super) fn push_value(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => push_text(text, into),
        other => push_text(&other.to_string(), into),
    }
}

fn push_text(text: &str, into: &mut String) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/@^+:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        into.push_str(text);
        return;
    }
    into.push('"');
    escape(text, into);
    into.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn time_level_and_message_come_first() {
        assert_eq!(
            render(&Line::sample()),
            "time=\"2026-11-24T12:00:00.250Z\" level=warning msg=\"image changed\" image=ghcr.io/a/b:1.2 \
             reason=\"say \\\"hi\\\"\\nnow\" count=3 done=true empty=\"\"\n"
        );
    }

    /// Reads a line as a reader of logs does.
    fn parse(line: &str) -> Vec<(String, String)> {
        let mut rest = line;
        let mut pairs = Vec::new();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').unwrap();
            let end = if after.starts_with('"') {
                quoted_length(after)
            } else {
                after.find(' ').unwrap_or(after.len())
            };
            let (value, after) = after.split_at(end);
            let text = if value.starts_with('"') {
                serde_json::from_str(value).unwrap()
            } else {
                value.to_owned()
            };
            pairs.push((name.to_owned(), text));
            rest = after.strip_prefix(' ').unwrap_or(after);
        }
        pairs
    }

    fn quoted_length(text: &str) -> usize {
        let mut escaped = false;
        for (place, c) in text.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return place + 1,
                _ => {}
            }
        }
        panic!("no end of quotes in {text}");
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_and_says_what_it_was_told(message in any::<String>(), value in any::<String>()) {
            let fields = vec![("a".into(), value.as_str().into()), ("b".into(), Value::from(1))];
            let text = render(&Line { message: message.clone(), fields, ..Line::sample() });
            let line = text.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(char::is_control), "{:?}", line);
            let pairs = parse(line);
            let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(names, ["time", "level", "msg", "a", "b"]);
            prop_assert_eq!(&pairs[2].1, &message);
            prop_assert_eq!(&pairs[3].1, &value);
        }
    }
}
