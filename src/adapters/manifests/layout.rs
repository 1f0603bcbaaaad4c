//! How a document is laid out, for what is added to it.

use crate::adapters::manifests::lines;
use crate::adapters::manifests::yaml_tree::Kind;
use crate::adapters::manifests::yaml_tree::Node;

/// By how many columns people indent where a document does not show it.
const USUAL_STEP: usize = 2;

/// The habits of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Its line break.
    pub(super) line_break: &'static str,
    /// By how much a mapping is indented in another.
    pub(super) step: usize,
    /// By how much a list's dashes are indented in a mapping.
    pub(super) dash: usize,
    /// Whether it is JSON, in which keys and texts stand in double quotes.
    pub(super) json: bool,
}

/// The dash before an item of a block list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dash {
    /// Its column, from 0.
    pub(super) column: usize,
    /// The columns between it and the item.
    pub(super) gap: usize,
}

impl Layout {
    /// The habits of a document, taken from its first nested mapping and list.
    pub(super) fn of(text: &str, root: &Node) -> Self {
        let step = first_step(root).unwrap_or(USUAL_STEP);
        Self {
            line_break: lines::line_break(text),
            step,
            dash: first_dash(text, root).unwrap_or(step),
            json: matches!(&root.kind, Kind::Mapping { flow: true, .. }),
        }
    }
}

fn children(node: &Node) -> impl Iterator<Item = &Node> {
    let (items, entries) = match &node.kind {
        Kind::Sequence { items, .. } => (items.as_slice(), [].as_slice()),
        Kind::Mapping { entries, .. } => ([].as_slice(), entries.as_slice()),
        Kind::Scalar { .. } | Kind::Alias => ([].as_slice(), [].as_slice()),
    };
    items.iter().chain(entries.iter().map(|entry| &entry.value))
}

fn is_block_mapping(node: &Node) -> bool {
    matches!(node.kind, Kind::Mapping { flow: false, .. })
}

fn first_step(node: &Node) -> Option<usize> {
    children(node).find_map(|child| {
        let nested = is_block_mapping(node) && is_block_mapping(child);
        let step = child.column.checked_sub(node.column);
        step.filter(|step| nested && *step > 0)
            .or_else(|| first_step(child))
    })
}

fn first_dash(text: &str, node: &Node) -> Option<usize> {
    children(node).find_map(|child| {
        let here = match &child.kind {
            Kind::Sequence { items, flow: false } if is_block_mapping(node) => items
                .first()
                .and_then(|item| dash(text, item.start))
                .and_then(|dash| dash.column.checked_sub(node.column)),
            Kind::Sequence { .. } | Kind::Mapping { .. } | Kind::Scalar { .. } | Kind::Alias => {
                None
            }
        };
        here.or_else(|| first_dash(text, child))
    })
}

/// The dash before the item that starts at a place; `None` where there is more than dashes before it.
pub(super) fn dash(text: &str, item: usize) -> Option<Dash> {
    let mut start = lines::line_start(text, item);
    let mut before = text.get(start..item)?;
    // The item may start on a line below its dash.
    while before.trim().is_empty() && start > 0 {
        let end = start;
        start = lines::line_start(text, end - 1);
        let line = text.get(start..end)?;
        before = line.split('#').next()?.trim_end();
    }
    let column = before.rfind('-')?;
    let only_dashes = before.bytes().all(|byte| b" \t-".contains(&byte));
    only_dashes.then(|| Dash {
        column,
        gap: (before.len() - column - 1).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::manifests::yaml_tree;

    fn of(text: &str) -> Layout {
        Layout::of(text, &yaml_tree::parse(text).unwrap())
    }

    #[test]
    fn habits_are_taken_from_the_document() {
        let layout = of("a:\r\n    b: 1\r\n    c:\r\n    - x\r\n");
        assert_eq!((layout.step, layout.dash), (4, 0));
        assert_eq!((layout.line_break, layout.json), ("\r\n", false));
        let layout = of("a: 1\nb:\n   - c: 1\n");
        assert_eq!((layout.step, layout.dash), (2, 3));
        let layout = of("{\"a\": {\"b\": [1]}}");
        assert_eq!((layout.step, layout.dash, layout.json), (2, 2, true));
    }

    #[test]
    fn a_dash_is_found_before_its_item() {
        for (text, column, gap) in [
            ("- x", 0, 1),
            ("a:\n  -   x", 2, 3),
            ("- - x", 2, 1),
            ("a:\n  - # c - d\n\n    x", 2, 1),
        ] {
            let item = text.rfind('x').unwrap();
            assert_eq!(dash(text, item), Some(Dash { column, gap }), "{text:?}");
        }
        assert_eq!(dash("? - x", 4), None);
        assert_eq!(dash("a: x", 3), None);
    }
}
