//! How a scalar is written.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use granit_parser::ScalarStyle;
use regex::Regex;

use crate::adapters::manifests::lines;
use crate::adapters::manifests::patch::Splice;

/// Plain texts that YAML 1.1 or 1.2 take for null, a boolean, a number, a date or a merge key.
static TYPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^(
            null | ~ | true | false | yes | no | on | off | y | n | = | <<
            | [-+]? \.(inf|nan)
            | [-+]? 0[xob] .*
            | [-+]? [0-9_]* \.? [0-9_]* (e[-+]?[0-9_]*)?
            | [-+]? [0-9_]+ (:[0-9_]+)+ (\.[0-9_]*)?
            | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} ([t\s].*)?
        )$",
    )
    .ok()
});

/// The header of a block scalar at the end of a line, a comment behind it aside.
static HEADER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^.*?([|>][-+0-9]{0,2})[ \t]*(?:[ \t]#.*)?$").ok());

/// A text in a style, so that it stays the same text. A plain one that would not is quoted, and so is what single quotes cannot hold.
pub(super) fn written(value: &str, style: ScalarStyle) -> String {
    match style {
        ScalarStyle::Plain if is_plain(value) => value.to_owned(),
        ScalarStyle::SingleQuoted if value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            format!("'{}'", value.replace('\'', "''"))
        }
        ScalarStyle::Plain
        | ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted
        | ScalarStyle::Literal
        | ScalarStyle::Folded => double_quoted(value),
    }
}

/// Whether a text can stand without quotes anywhere, flow collections included.
fn is_plain(value: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._/@:+=-".contains(&byte);
    value.starts_with(|first: char| first.is_ascii_alphanumeric() || "._/".contains(first))
        && value.bytes().all(inner)
        && !value.ends_with(':')
        && !TYPED.as_ref().is_none_or(|typed| typed.is_match(value))
        && value != "..."
}

fn double_quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) > 0xffff => _ = write!(out, "\\U{:08x}", u32::from(c)),
            c => _ = write!(out, "\\u{:04x}", u32::from(c)),
        }
    }
    out.push('"');
    out
}

/// A block scalar with another text. One line keeps the block, with a header that adds no line break to it.
pub(super) fn block_replaced(
    text: &str,
    content: &Range<usize>,
    value: &str,
) -> Result<Splice, String> {
    let old = text.get(content.clone()).unwrap_or_default().trim_end();
    let header = block_header(text, content.start).filter(|_| !old.is_empty());
    let Some(header) = header else {
        return Err("it is an empty block scalar; write it as \"\"".to_owned());
    };
    let one_line = value.trim() == value
        && !value.is_empty()
        && value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let written = if one_line {
        let indicator = text.get(header.clone()).unwrap_or_default();
        let between = text.get(header.end..content.start).unwrap_or_default();
        format!("{}-{between}{value}", indicator.replace(['-', '+'], ""))
    } else {
        double_quoted(value)
    };
    Ok(Splice {
        range: header.start..content.start + old.len(),
        text: written,
    })
}

/// The bytes of a block scalar's header, such as `|-`, by where its content starts.
pub(super) fn block_header(text: &str, content: usize) -> Option<Range<usize>> {
    let mut line = lines::line_start(text, content);
    while line > 0 {
        let end = line;
        line = lines::line_start(text, end - 1);
        // A break of two bytes is one step back, its first byte another.
        let above = text.get(line..end)?.trim_end_matches(['\n', '\r']);
        if above.trim().is_empty() {
            continue;
        }
        let header = HEADER.as_ref()?.captures(above)?.get(1)?;
        return Some(line + header.start()..line + header.end());
    }
    None
}

/// Whether the blank lines that follow a block scalar belong to it.
pub(super) fn keeps_blank_lines(text: &str, content: usize) -> bool {
    block_header(text, content)
        .and_then(|header| text.get(header))
        .is_none_or(|header| header.contains('+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(yaml: &str) -> serde_json::Value {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn plain_stays_plain_where_it_stays_a_string() {
        for value in [
            "1.2.3",
            "v1",
            "latest",
            "nginx:1.27",
            "ghcr.io/acme/app:1.2@sha256:ab",
            "a=b:1",
            "sha-12ab",
            "1.2.3-rc.1+build",
            "1.x",
            "2024-01-01-abc",
            "localhost:5000/app",
        ] {
            assert_eq!(written(value, ScalarStyle::Plain), value);
        }
    }

    #[test]
    fn plain_is_quoted_where_it_would_become_something_else() {
        for value in [
            "",
            "1",
            "1.10",
            "1.",
            ".5",
            "+1",
            "-1",
            "1e3",
            "1E5",
            "1_000",
            "0x1F",
            "0o17",
            "0b1",
            "017",
            "yes",
            "No",
            "on",
            "OFF",
            "y",
            "N",
            "true",
            "False",
            "null",
            "NULL",
            "~",
            ".inf",
            "-.INF",
            ".NaN",
            "12:30:45",
            "1:30",
            "2024-01-01",
            "2024-1-1T10:00:00Z",
            "=",
            "<<",
            "a:",
            "a #b",
            "a: b",
            "- a",
            "*a",
            "&a",
            "!a",
            "{a}",
            "[a]",
            "a,b",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "?",
            "...",
            "---",
            "é",
            "a\nb",
        ] {
            let quoted = written(value, ScalarStyle::Plain);
            assert!(quoted.starts_with('"'), "{value:?} is {quoted}");
        }
    }

    #[test]
    fn quotes_are_kept() {
        assert_eq!(written("1.3", ScalarStyle::SingleQuoted), "'1.3'");
        assert_eq!(written("it's", ScalarStyle::SingleQuoted), "'it''s'");
        assert_eq!(written("a\nb", ScalarStyle::SingleQuoted), r#""a\nb""#);
        assert_eq!(written(r#"a"\"#, ScalarStyle::DoubleQuoted), r#""a\"\\""#);
    }

    #[test]
    fn a_header_is_found_above_its_content() {
        for (text, header) in [
            ("a: |\n  x\n", Some("|")),
            ("a: >-  # c | d\r\n\r\n   \r\n  x\n", Some(">-")),
            ("\"a|\": &p |2+\n  x\n", Some("|2+")),
            ("- |\n  x\n", Some("|")),
            ("x", None),
        ] {
            let content = text.rfind('x').unwrap();
            let found = block_header(text, content).map(|range| &text[range]);
            assert_eq!(found, header, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_written_text_is_read_back_as_itself(value in any::<String>(), style in 0..5_usize) {
            let style = [
                ScalarStyle::Plain, ScalarStyle::SingleQuoted, ScalarStyle::DoubleQuoted, ScalarStyle::Literal, ScalarStyle::Folded,
            ][style];
            let text = written(&value, style);
            prop_assert_eq!(&read(&format!("a: {text}\n"))["a"], &serde_json::json!(value));
            prop_assert_eq!(&read(&format!("[{text}, b]"))[0], &serde_json::json!(value));
        }

        #[test]
        fn a_written_text_that_looks_like_a_tag_is_read_back(value in "[-+.0-9a-fxonyes:_@/=]{0,8}") {
            let text = written(&value, ScalarStyle::Plain);
            prop_assert_eq!(&read(&format!("{{k: {text}}}"))["k"], &serde_json::json!(value));
        }
    }
}
