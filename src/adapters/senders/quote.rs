//! Showing foreign text in answers and logs.

/// The longest piece of foreign text that is shown, in characters.
const LONGEST: usize = 160;

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The beginning of a text between quotation marks, with everything escaped that could pass for something else in a log.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_text_is_tamed() {
        assert_eq!(quoted("a\nb\"c"), r#""a\nb\"c""#);
        assert_eq!(shortened(&"é".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
