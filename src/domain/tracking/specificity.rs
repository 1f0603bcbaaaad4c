//! Which of an ImageUpdater's `applicationRefs` comes first for an Application: the most specific one.

use crate::domain::resources::image_updater::ApplicationRef;

/// A name without wildcards outweighs everything else.
const EXACT_NAME: usize = 1_000_000;
/// A label selector outweighs literal characters.
const SELECTOR: usize = 10_000;
/// Each term of a label selector.
const TERM: usize = 100;

/// The references, the most specific first. Those that are equally specific keep their order.
#[must_use]
pub fn most_specific_first(references: &[ApplicationRef]) -> Vec<&ApplicationRef> {
    let mut sorted: Vec<_> = references.iter().collect();
    sorted.sort_by_key(|reference| std::cmp::Reverse(specificity(reference)));
    sorted
}

/// How specific a reference is; only comparing two of them means anything.
#[must_use]
pub fn specificity(reference: &ApplicationRef) -> usize {
    let pattern = reference.name_pattern.as_str();
    let exact = if pattern.contains(['*', '?', '[', ']']) {
        0
    } else {
        EXACT_NAME
    };
    let selector = reference.labels.as_ref().map_or(0, |selector| {
        SELECTOR + TERM * (selector.labels.len() + selector.expressions.len())
    });
    exact + literal_bytes(pattern) + selector
}

/// The bytes of a pattern that stand for themselves: without `*`, `?` and each `[…]`.
fn literal_bytes(pattern: &str) -> usize {
    let mut rest = pattern;
    let mut count = 0;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((_, after)) = after.split_once(']') else {
            break;
        };
        count += literals(before);
        rest = after;
    }
    count + literals(rest)
}

fn literals(text: &str) -> usize {
    text.bytes().filter(|b| !b"*?".contains(b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::image_updater::LabelExpression;
    use crate::domain::resources::image_updater::LabelSelector;

    fn reference(pattern: &str, labels: usize, expressions: Option<usize>) -> ApplicationRef {
        let selector = expressions.map(|expressions| LabelSelector {
            labels: (0..labels)
                .map(|n| (format!("l{n}"), String::new()))
                .collect(),
            expressions: (0..expressions)
                .map(|n| LabelExpression {
                    key: format!("e{n}"),
                    operator: "Exists".to_owned(),
                    values: Vec::new(),
                })
                .collect(),
        });
        ApplicationRef {
            name_pattern: pattern.to_owned(),
            labels: selector,
            ..ApplicationRef::default()
        }
    }

    #[test]
    fn scores() {
        for (pattern, labels, expressions, score) in [
            ("my-app", 0, None, 1_000_006),
            ("", 0, None, 1_000_000),
            (r"my\-app", 0, None, 1_000_007),
            ("*", 0, None, 0),
            ("my-*", 0, None, 3),
            ("my-?", 0, None, 3),
            ("app-[0-9]-*", 0, None, 5),
            ("[a-z][0-9]x", 0, None, 1),
            ("app-[", 0, None, 5),
            ("é*", 0, None, 2),
            ("*", 0, Some(0), 10_000),
            ("*", 2, Some(1), 10_300),
            ("my-app", 1, Some(0), 1_010_106),
        ] {
            let reference = reference(pattern, labels, expressions);
            assert_eq!(specificity(&reference), score, "{pattern:?}");
        }
    }

    #[test]
    fn exact_before_selected_before_literal_and_ties_keep_their_order() {
        let references = [
            reference("*", 0, None),
            reference("a-*", 0, None),
            reference("b-*", 0, None),
            reference("*", 1, Some(0)),
            reference("web", 0, None),
            reference("long-prefix-*", 0, None),
        ];
        let order: Vec<_> = most_specific_first(&references)
            .iter()
            .map(|reference| reference.name_pattern.as_str())
            .collect();
        assert_eq!(order, ["web", "*", "long-prefix-*", "a-*", "b-*", "*"]);
    }
}
