//! A page of a list of tags.

use serde::Deserialize;

use crate::domain::reference::Tag;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// The tags, in their order.
    pub tags: Vec<Tag>,
    /// How many there were, with those that are none.
    pub listed: usize,
    /// Where the list goes on, as the registry says it.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: Option<String>,
    tags: Option<Vec<String>>,
}

/// Reads a page. `null` is an empty one, and what is no tag is left out: some registries list their own bookkeeping.
///
/// # Errors
/// What is wrong with it.
pub fn parse(body: &[u8], next: Option<String>) -> Result<TagPage, String> {
    let listed: Listed =
        serde_json::from_slice(body).map_err(|error| format!("its list of tags: {error}"))?;
    if listed.name.is_none() && listed.tags.is_none() {
        return Err("its list of tags has neither a name nor tags".to_owned());
    }
    let texts = listed.tags.unwrap_or_default();
    Ok(TagPage {
        listed: texts.len(),
        tags: texts
            .iter()
            .filter_map(|text| Tag::parse(text).ok())
            .collect(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_has_tags_or_none_and_nothing_else_is_a_page() {
        for (body, expected) in [
            (r#"{"name":"a","tags":["1","-x","2"]}"#, Some("1 2 of 3")),
            (r#"{"name":"a","tags":null}"#, Some(" of 0")),
            (r#"{"name":"a"}"#, Some(" of 0")),
            (r#"{"tags":[]}"#, Some(" of 0")),
            (r#"{"name":"a","tags":[1]}"#, None),
            (r#"{"errors":[]}"#, None),
            (r#"{"name":"a","tags":["1""#, None),
            ("<html></html>", None),
            ("", None),
        ] {
            let page = parse(body.as_bytes(), None).ok().map(|page| {
                let tags: Vec<&str> = page.tags.iter().map(Tag::as_str).collect();
                format!("{} of {}", tags.join(" "), page.listed)
            });
            assert_eq!(page.as_deref(), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&body, None);
        }
    }
}
