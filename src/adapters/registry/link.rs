//! `Link`, by [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288#section-3): where a list goes on.

/// The target of the first link to the next page, as it stands there.
#[must_use]
pub fn next_page(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, others) = split_at_comma(after);
        if parameters.split(';').any(is_next) {
            return Some(target.trim());
        }
        rest = others;
    }
}

/// The parameters of a link, and what comes after the comma that ends them.
fn split_at_comma(text: &str) -> (&str, &str) {
    let mut in_quotes = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel")
        && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        for (header, expected) in [
            (
                r#"</v2/a/tags/list?last=x&n=2>; rel="next""#,
                Some("/v2/a/tags/list?last=x&n=2"),
            ),
            (
                "<https://r.example/x>;rel=next",
                Some("https://r.example/x"),
            ),
            (
                r#"</a>; rel="prev", </b?x=1,2>; title="a, b"; REL="first NEXT""#,
                Some("/b?x=1,2"),
            ),
            (r#"</a>; title="rel=next""#, None),
            ("</a>", None),
            ("</a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_page(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(header in "\\PC{0,80}") {
            let _ = next_page(&header);
        }
    }
}
