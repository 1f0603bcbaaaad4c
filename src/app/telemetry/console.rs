//! Lines for people at a terminal: short and in colour.

use tracing::Level;

use super::line::{Line, escape};
use super::logfmt::push_value;

const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// The line, with its end.
pub(super) fn render(line: &Line) -> String {
    let (color, level) = match line.level {
        Level::TRACE => ("\x1b[35m", "TRACE"),
        Level::DEBUG => ("\x1b[34m", "DEBUG"),
        Level::INFO => ("\x1b[32m", "INFO "),
        Level::WARN => ("\x1b[33m", "WARN "),
        Level::ERROR => ("\x1b[31m", "ERROR"),
    };
    let timestamp = line.timestamp();
    let clock = timestamp.get(11..19).unwrap_or_default();
    let mut text = format!("{DIM}{clock}{RESET} {color}{level}{RESET} ");
    escape(&line.message, &mut text);
    for (name, value) in &line.fields {
        text.extend([" ", DIM, name, "=", RESET]);
        push_value(value, &mut text);
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_cannot_steer_the_terminal() {
        let message = "image \x1b[31mchanged\n".to_owned();
        let mut line = Line {
            message,
            ..Line::sample()
        };
        line.fields.truncate(2);
        assert_eq!(
            render(&line),
            "\x1b[2m12:00:00\x1b[0m \x1b[33mWARN \x1b[0m image \\u001b[31mchanged\\n \
             \x1b[2mimage=\x1b[0mghcr.io/a/b:1.2 \x1b[2mreason=\x1b[0m\"say \\\"hi\\\"\\nnow\"\n"
        );
    }
}
