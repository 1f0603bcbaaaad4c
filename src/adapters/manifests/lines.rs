//! Lines of a YAML text, which end with LF, CR LF or CR.

use std::ops::Range;

/// The lines of a text, each with its line break.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let range = start..next_line(text, start)?;
        start = range.end;
        Some(range)
    })
}

/// Where the line after the one at a place starts; `None` at the end of the text.
fn next_line(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let Some(found) = rest.find(['\n', '\r']) else {
        return Some(text.len());
    };
    let width = if rest[found..].starts_with("\r\n") {
        2
    } else {
        1
    };
    Some(at + found + width)
}

/// Where the line starts that holds a place.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.rfind(['\n', '\r']).map_or(0, |found| found + 1)
}

/// Where a line can be put in after a place: at the place if a line starts there, else where the next one starts.
pub(super) fn line_after(text: &str, at: usize) -> usize {
    if at > 0 && line_start(text, at) == at {
        return at;
    }
    next_line(text, at).unwrap_or(text.len())
}

/// The line break that a text uses: its first one.
pub(super) fn line_break(text: &str) -> &'static str {
    match text.find(['\n', '\r']) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        Some(_) | None => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        let text = "a\nb\r\nc\rd";
        let found: Vec<_> = lines(text).map(|line| &text[line]).collect();
        assert_eq!(found, ["a\n", "b\r\n", "c\r", "d"]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn places_are_found_in_their_lines() {
        let text = "ab\r\ncd\n";
        assert_eq!(line_start(text, 5), 4);
        assert_eq!(line_after(text, 1), 4);
        assert_eq!(line_after(text, 4), 4);
        assert_eq!(line_after("ab", 1), 2);
    }

    #[test]
    fn the_first_line_break_counts() {
        assert_eq!(line_break("a\r\nb\n"), "\r\n");
        assert_eq!(line_break("a\rb"), "\r");
        assert_eq!(line_break("a\nb\r\n"), "\n");
        assert_eq!(line_break("a"), "\n");
    }
}
