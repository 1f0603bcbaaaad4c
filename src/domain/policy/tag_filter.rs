//! Which tags a policy looks at: `allowTags` and `ignoreTags`.

use regex::bytes::{Regex, RegexBuilder};

use crate::domain::policy::glob::Glob;

/// The most memory, in bytes, that a compiled expression of a user may take.
const REGEX_SIZE_LIMIT: usize = 1 << 20;
/// The most memory, in bytes, that matching it may cache.
const REGEX_CACHE_LIMIT: usize = 1 << 18;

/// What is left of the tags after `allowTags` and `ignoreTags`.
#[derive(Debug, Clone)]
pub struct TagFilter {
    allowed: Allowed,
    allow_text: String,
    ignored: Vec<Glob>,
}

#[derive(Debug, Clone)]
enum Allowed {
    Everything,
    /// A rule that makes no sense allows nothing: allowing everything could run what the rule was meant to keep out.
    Nothing,
    Matching(Regex),
}

/// The rule that keeps a tag out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion<'a> {
    /// `allowTags`, with this text, does not allow it.
    NotAllowed(&'a str),
    /// This one of `ignoreTags` matches it.
    Ignored(&'a str),
}

impl TagFilter {
    /// Parses both rules. What makes no sense in them is answered as warnings, for people.
    ///
    /// `allow`: absent, empty or `any` allows everything; `regexp:<expression>` allows what the expression matches anywhere in the tag;
    /// anything else allows nothing. `ignore`: [globs](Glob) of whole tags; a malformed one ignores nothing.
    #[must_use]
    pub fn parse(allow: Option<&str>, ignore: &[String]) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let allow = allow.unwrap_or_default();
        let allowed = parse_allow(allow).unwrap_or_else(|warning| {
            warnings.push(warning);
            Allowed::Nothing
        });
        let ignored = ignore.iter().filter_map(|pattern| {
            Glob::parse(pattern)
                .inspect_err(|error| {
                    warnings.push(format!("ignoreTags {pattern:?} ignores nothing: {error}"));
                })
                .ok()
        });
        let filter = Self {
            allowed,
            allow_text: allow.to_owned(),
            ignored: ignored.collect(),
        };
        (filter, warnings)
    }

    /// The rule that keeps a tag out; `None` where nothing does.
    #[must_use]
    pub fn exclusion(&self, tag: &str) -> Option<Exclusion<'_>> {
        let allowed = match &self.allowed {
            Allowed::Everything => true,
            Allowed::Nothing => false,
            Allowed::Matching(expression) => expression.is_match(tag.as_bytes()),
        };
        if !allowed {
            return Some(Exclusion::NotAllowed(&self.allow_text));
        }
        self.ignored
            .iter()
            .find(|glob| glob.matches(tag))
            .map(|glob| Exclusion::Ignored(glob.as_str()))
    }
}

fn parse_allow(text: &str) -> Result<Allowed, String> {
    if text.is_empty() || text.eq_ignore_ascii_case("any") {
        return Ok(Allowed::Everything);
    }
    match text.split_once(':') {
        Some((function, expression)) if function.eq_ignore_ascii_case("regexp") => {
            compile(expression).map(Allowed::Matching)
        }
        _ => Err(format!(
            "allowTags {text:?} allows no tag: give \"any\" or \"regexp:<expression>\""
        )),
    }
}

/// Tags are ASCII, and so are Go's `\d`, `\w` and `\b`; in Unicode they would make an expression many times as large. What does not
/// parse that way, such as `\p{Greek}`, is given a second chance. Bytes are matched, since without Unicode a `.` may not match in a text.
fn compile(expression: &str) -> Result<Regex, String> {
    let build = |unicode| {
        RegexBuilder::new(expression)
            .unicode(unicode)
            .size_limit(REGEX_SIZE_LIMIT)
            .dfa_size_limit(REGEX_CACHE_LIMIT)
            .build()
    };
    build(false).or_else(|_| build(true)).map_err(|error| {
        // The error draws the expression over several lines; what is wrong is the last.
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default();
        let reason = reason.trim_start_matches("error: ");
        format!("allowTags \"regexp:{expression}\" allows no tag: the expression does not compile: {reason}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(allow: Option<&str>, ignore: &[&str]) -> (TagFilter, Vec<String>) {
        let ignore: Vec<String> = ignore.iter().map(|text| (*text).to_owned()).collect();
        TagFilter::parse(allow, &ignore)
    }

    fn allows(allow: &str, tag: &str) -> bool {
        let (filter, warnings) = parse(Some(allow), &[]);
        assert_eq!(warnings, Vec::<String>::new(), "{allow}");
        filter.exclusion(tag).is_none()
    }

    #[test]
    fn no_rule_allows_everything() {
        for allow in [None, Some(""), Some("any"), Some("ANY")] {
            let (filter, warnings) = parse(allow, &[]);
            assert_eq!(filter.exclusion("v1"), None, "{allow:?}");
            assert!(warnings.is_empty(), "{allow:?}");
        }
    }

    #[test]
    fn an_expression_matches_anywhere_in_the_tag() {
        assert!(allows("regexp:rc", "1.0-rc1"));
        assert!(!allows("regexp:^rc", "1.0-rc1"));
        assert!(allows(r"RegExp:^v\d+\.\d+$", "v1.10"));
        assert!(!allows(r"regexp:^v\d+\.\d+$", "1.10"));
        assert!(allows("regexp:(?i)^RC", "rc1"));
        assert!(allows("regexp:", "anything"));
        assert!(
            allows("regexp:^[a-z]+:?$", "abc"),
            "only the first colon divides"
        );
        assert!(
            allows(r"regexp:^[\p{Greek}a]$", "a"),
            "an expression that needs Unicode"
        );
    }

    #[test]
    fn an_expression_may_count_to_a_tags_length() {
        assert!(allows(r"regexp:^\w{1,128}$", &"a".repeat(128)));
        assert!(!allows(r"regexp:^\w{1,128}$", &"a".repeat(129)));
        assert!(allows(r"regexp:^v\w{1,128}.*$", "v1.2-rc.1"));
        assert!(allows(r"regexp:^[^-]\w{1,128}$", "v1"));
    }

    #[test]
    fn what_makes_no_sense_allows_nothing_and_warns() {
        for allow in [
            "v1.*",
            "all",
            "glob:v*",
            ":",
            " any",
            "regexp",
            "regexp:(",
            "regexp:a(?=b)",
            r"regexp:(\w{1,1000}){1000}",
        ] {
            let (filter, warnings) = parse(Some(allow), &[]);
            assert_eq!(filter.exclusion("v1"), Some(Exclusion::NotAllowed(allow)));
            assert_eq!(warnings.len(), 1, "{allow}");
            assert!(
                warnings
                    .iter()
                    .all(|text| text.contains(allow) && !text.contains('\n')),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn globs_ignore_whole_tags() {
        let (filter, warnings) = parse(Some("regexp:^1"), &["*-rc*", "[", "1.0"]);
        assert_eq!(
            filter.exclusion("1.1-rc1"),
            Some(Exclusion::Ignored("*-rc*"))
        );
        assert_eq!(filter.exclusion("1.0"), Some(Exclusion::Ignored("1.0")));
        assert_eq!(filter.exclusion("1.0.1"), None);
        assert_eq!(
            filter.exclusion("2.0"),
            Some(Exclusion::NotAllowed("regexp:^1"))
        );
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings.iter().all(|text| text.contains("\"[\"")),
            "{warnings:?}"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(allow in "(regexp:)?\\PC*", ignore in "\\PC*", tag in "[\\w.-]{0,20}") {
            let (filter, _) = TagFilter::parse(Some(&allow), &[ignore]);
            let _ = filter.exclusion(&tag);
        }
    }
}
