//! What a quickstart prints.

use std::path::Path;

use similar::ChangeTag;
use similar::TextDiff;

use crate::ports::webhook_client::Request;

/// The lines that differ, as a unified diff without its hunk headers.
#[must_use]
pub fn diff(name: &str, before: &str, after: &str) -> String {
    let mut shown = format!("--- {name}\n+++ {name}\n");
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => continue,
        };
        shown.push(sign);
        shown.push_str(change.value());
    }
    shown
}

/// A command line that posts a request, its body taken from a file. The headers hold a signature, not the secret.
#[must_use]
pub fn curl(request: &Request, body: &Path) -> String {
    let mut words = vec!["curl --insecure".to_owned()];
    for (name, value) in &request.headers {
        words.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    words.push(format!(
        "--data-binary {}",
        quoted(&format!("@{}", body.display()))
    ));
    words.push(quoted(&request.url));
    words.join(" \\\n  ")
}

/// Quotes a word for a POSIX shell.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_lines_are_shown() {
        assert_eq!(
            diff("a.yaml", "x\ny: 1\nz\n", "x\ny: 2\nz\n"),
            "--- a.yaml\n+++ a.yaml\n-y: 1\n+y: 2\n"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("/tmp/a-b.json"), "/tmp/a-b.json");
        assert_eq!(quoted("it's $5"), r"'it'\''s $5'");
        assert_eq!(quoted(""), "''");
    }
}
