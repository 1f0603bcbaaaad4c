//! A page of a list of tags.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::domain::reference::Tag;

/// No repository has so many, and what has would fill the memory.
pub(super) const MOST_TAGS: usize = 1_000_000;

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
    tags: Option<Tags>,
}

/// Counted and parsed while they are read: a text that is none of them takes no room.
#[derive(Default)]
struct Tags {
    tags: Vec<Tag>,
    listed: usize,
}

/// A text of the list, if it is a tag.
struct Text(Option<Tag>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(InTurn)
    }
}

struct InTurn;

impl<'de> Visitor<'de> for InTurn {
    type Value = Tags;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tags")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Tags, A::Error> {
        let mut found = Tags::default();
        while let Some(Text(tag)) = texts.next_element()? {
            if found.listed == MOST_TAGS {
                return Err(A::Error::custom(format!("more than {MOST_TAGS} tags")));
            }
            found.listed += 1;
            found.tags.extend(tag);
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AsTag)
    }
}

struct AsTag;

impl Visitor<'_> for AsTag {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tag")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Tag::parse(text).ok()))
    }
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
    let Tags { tags, listed } = listed.tags.unwrap_or_default();
    Ok(TagPage { tags, listed, next })
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

    #[test]
    fn a_page_of_more_tags_than_any_repository_has_is_none_though_they_are_all_alike() {
        let of = |count: usize| {
            let tags = vec![r#""1""#; count].join(",");
            parse(
                format!(r#"{{"name":"a","tags":[{tags}]}}"#).as_bytes(),
                None,
            )
        };
        assert_eq!(of(MOST_TAGS).unwrap().tags.len(), MOST_TAGS);
        let refused = of(MOST_TAGS + 1).unwrap_err();
        assert!(refused.contains("more than 1000000 tags"), "{refused}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&body, None);
        }
    }
}
