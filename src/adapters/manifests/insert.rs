//! What has to be put where, so that a YAML text has one thing more.

use std::ops::Range;

use crate::adapters::manifests::layout;
use crate::adapters::manifests::layout::Layout;
use crate::adapters::manifests::lines;
use crate::adapters::manifests::patch::Splice;
use crate::adapters::manifests::yaml_tree::Entry;
use crate::adapters::manifests::yaml_tree::Kind;
use crate::adapters::manifests::yaml_tree::Node;

/// Something new.
#[derive(Debug, Clone)]
pub(super) enum Fragment {
    /// A scalar as it is to be written.
    Written(String),
    /// A list.
    List(Vec<Fragment>),
    /// A mapping. Its keys can stand without quotes.
    Map(Vec<(&'static str, Fragment)>),
}

impl Fragment {
    fn flow(&self, layout: Layout) -> String {
        match self {
            Self::Written(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.flow(layout)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(entries) => {
                let entries = entries.iter();
                let entries: Vec<_> = entries
                    .map(|(key, value)| flow_entry(key, value, layout))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    /// The lines of a collection in block style, starting at a column.
    fn block(&self, column: usize, layout: Layout) -> Vec<String> {
        match self {
            Self::Written(text) => vec![indented(column, text)],
            Self::List(items) => items
                .iter()
                .flat_map(|item| block_item(item, column, 1, layout))
                .collect(),
            Self::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| block_entry(key, value, column, layout))
                .collect(),
        }
    }

    /// The column in which it is written under a key.
    fn column_under(&self, key: usize, layout: Layout) -> usize {
        match self {
            Self::List(_) => key + layout.dash,
            Self::Map(_) | Self::Written(_) => key + layout.step,
        }
    }
}

fn flow_entry(key: &str, value: &Fragment, layout: Layout) -> String {
    let quote = if layout.json { "\"" } else { "" };
    format!("{quote}{key}{quote}: {}", value.flow(layout))
}

fn block_entry(key: &str, value: &Fragment, column: usize, layout: Layout) -> Vec<String> {
    if let Fragment::Written(text) = value {
        return vec![indented(column, &format!("{key}: {text}"))];
    }
    let mut out = vec![indented(column, &format!("{key}:"))];
    out.extend(value.block(value.column_under(column, layout), layout));
    out
}

fn block_item(item: &Fragment, column: usize, gap: usize, layout: Layout) -> Vec<String> {
    let inner = column + 1 + gap;
    let mut out = item.block(inner, layout);
    if let Some(first) = out.first_mut() {
        let content = first.trim_start().to_owned();
        *first = indented(column, &format!("-{}{content}", " ".repeat(gap)));
    }
    out
}

fn indented(column: usize, text: &str) -> String {
    format!("{}{text}", " ".repeat(column))
}

/// A new member at the end of a mapping.
pub(super) fn entry(
    text: &str,
    mapping: &Node,
    key: &'static str,
    value: &Fragment,
    layout: Layout,
) -> Vec<Splice> {
    let Kind::Mapping { entries, flow } = &mapping.kind else {
        return Vec::new();
    };
    if *flow {
        let last = entries
            .last()
            .map(|entry| entry.key.start..entry_end(text, entry));
        return flow_append(text, mapping, last, &flow_entry(key, value, layout), layout);
    }
    let lines = block_entry(key, value, mapping.column, layout);
    vec![below(text, mapping.end, &lines, layout)]
}

/// A new item at the end of a list; `None` where the place of its dash cannot be told.
pub(super) fn item(
    text: &str,
    sequence: &Node,
    item: &Fragment,
    layout: Layout,
) -> Option<Vec<Splice>> {
    let Kind::Sequence { items, flow } = &sequence.kind else {
        return None;
    };
    let last = items.last();
    if *flow {
        let last = last.map(|last| last.start..last.end);
        return Some(flow_append(
            text,
            sequence,
            last,
            &item.flow(layout),
            layout,
        ));
    }
    let dash = layout::dash(text, last?.start)?;
    let lines = block_item(item, dash.column, dash.gap, layout);
    Some(vec![below(text, sequence.end, &lines, layout)])
}

/// A value for a member that has none, or an empty collection. `text` is the document, `mapping` what the member is in.
pub(super) fn value(
    text: &str,
    mapping: &Node,
    member: &Entry,
    value: &Fragment,
    layout: Layout,
) -> Vec<Splice> {
    let old = &member.value;
    let written = text.get(old.span.clone()).unwrap_or_default();
    let bare: String = written.split_whitespace().collect();
    let empty = matches!(bare.as_str(), "[]" | "{}");
    let collection = matches!(old.kind, Kind::Sequence { .. } | Kind::Mapping { .. });
    if collection && !(empty && matches!(mapping.kind, Kind::Mapping { flow: false, .. })) {
        // A flow collection with a comment in it, or within another flow collection.
        let flow = value.flow(layout);
        let inside = flow.get(1..flow.len() - 1).unwrap_or_default();
        return vec![Splice::at(old.span.start + 1, inside.to_owned())];
    }
    if matches!(mapping.kind, Kind::Mapping { flow: true, .. }) {
        return vec![scalar(text, member, &value.flow(layout))];
    }
    let lines = value.block(value.column_under(mapping.column, layout), layout);
    let end = old.span.end.max(member.key.end);
    vec![removed(text, &old.span), below(text, end, &lines, layout)]
}

/// Takes a value away, and the blanks before it.
fn removed(text: &str, value: &Range<usize>) -> Splice {
    let before = text.get(..value.start).unwrap_or_default();
    let start = if value.is_empty() {
        value.start
    } else {
        before.trim_end_matches([' ', '\t']).len()
    };
    Splice {
        range: start..value.end,
        text: String::new(),
    }
}

/// A scalar in the place of a member's value, which may be absent.
pub(super) fn scalar(text: &str, member: &Entry, written: &str) -> Splice {
    let old = &member.value;
    if !old.is_absent() {
        return Splice {
            range: old.span.clone(),
            text: written.to_owned(),
        };
    }
    // An absent value with an anchor or a tag has its place behind these.
    if old.start < old.span.start {
        return Splice::at(old.span.start, format!(" {written}"));
    }
    match after_colon(text, member.key.end) {
        Some(place) => Splice::at(place, format!(" {written}")),
        None => Splice::at(member.key.end, format!(": {written}")),
    }
}

fn after_colon(text: &str, key_end: usize) -> Option<usize> {
    let rest = text.get(key_end..)?;
    let blank = rest.len() - rest.trim_start().len();
    rest[blank..]
        .starts_with(':')
        .then_some(key_end + blank + 1)
}

fn entry_end(text: &str, entry: &Entry) -> usize {
    let colon = after_colon(text, entry.key.end).filter(|_| entry.value.is_absent());
    let end = entry.value.end.max(entry.key.end);
    colon.map_or(end, |colon| colon.max(end))
}

/// Lines below the one in which something ends.
fn below(text: &str, end: usize, lines: &[String], layout: Layout) -> Splice {
    let place = lines::line_after(text, end);
    let lines_joined = lines.join(layout.line_break);
    let starts_line = lines::line_start(text, place) == place;
    let text = if starts_line {
        format!("{lines_joined}{}", layout.line_break)
    } else {
        // The text does not end with a line break.
        format!("{}{lines_joined}", layout.line_break)
    };
    Splice::at(place, text)
}

/// One more child in a flow collection, of which the last one's place is given. A child that stands on a line of its own gets company in
/// the same way.
fn flow_append(
    text: &str,
    collection: &Node,
    last: Option<Range<usize>>,
    new: &str,
    layout: Layout,
) -> Vec<Splice> {
    let Some(last) = last else {
        return vec![Splice::at(collection.span.start + 1, new.to_owned())];
    };
    let inline = vec![Splice::at(last.end, format!(", {new}"))];
    let Some(tail) = text.get(last.end..collection.end) else {
        return inline;
    };
    let line = lines::line_start(text, last.start);
    let indent = text.get(line..last.start).unwrap_or_default();
    let first_line = tail.split(['\n', '\r']).next().unwrap_or_default();
    let own_line = indent.trim().is_empty() && first_line.len() < tail.len();
    let code = first_line.split('#').next().unwrap_or_default();
    let comma_below =
        own_line && code.trim().is_empty() && starts_with_comma(&tail[first_line.len()..]);
    if !own_line || comma_below {
        return inline;
    }
    let next = lines::line_after(text, last.end);
    if code.trim() == "," {
        return vec![Splice::at(
            next,
            format!("{indent}{new},{}", layout.line_break),
        )];
    }
    vec![
        Splice::at(last.end, ",".to_owned()),
        Splice::at(next, format!("{indent}{new}{}", layout.line_break)),
    ]
}

/// Whether a comma is the first thing in a text but blanks and comments.
fn starts_with_comma(text: &str) -> bool {
    let mut code = lines::lines(text).map(|line| text[line].trim_start());
    code.find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_some_and(|line| line.starts_with(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_thing_counts_as_a_comma() {
        for text in [",", "\n  , b", "\n# c, d\n\n , b"] {
            assert!(starts_with_comma(text), "{text:?}");
        }
        for text in ["", "\n# ,", "\n]\n, b", "\n b\n, c"] {
            assert!(!starts_with_comma(text), "{text:?}");
        }
    }
}
