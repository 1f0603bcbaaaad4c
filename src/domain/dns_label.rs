//! The parts of a host's name.

/// Whether a text is a label of a DNS name, as [RFC 1123, 2.1] has it: not empty, with no hyphen at either end, and in between hyphens and
/// whatever else the caller takes. Its length is the caller's matter too.
///
/// [RFC 1123, 2.1]: https://www.rfc-editor.org/rfc/rfc1123#page-13
pub(crate) fn is_dns_label(text: &str, is_letter: impl Fn(u8) -> bool) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte == b'-' || is_letter(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_stand_in_between_only() {
        let is_label = |text| is_dns_label(text, |byte| byte.is_ascii_lowercase());
        assert!(is_label("a"));
        assert!(is_label("a--b"));
        for text in ["", "-", "-a", "a-", "a.b", "A", "ä"] {
            assert!(!is_label(text), "{text:?}");
        }
    }
}
