//! Something new in a YAML text.

use crate::adapters::manifests::layout::Layout;

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
    /// It in flow style.
    pub(super) fn flow(&self, layout: Layout) -> String {
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
    pub(super) fn block(&self, column: usize, layout: Layout) -> Vec<String> {
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
    pub(super) fn column_under(&self, key: usize, layout: Layout) -> usize {
        match self {
            Self::List(_) => key + layout.dash,
            Self::Map(_) | Self::Written(_) => key + layout.step,
        }
    }
}

/// A member in flow style.
pub(super) fn flow_entry(key: &str, value: &Fragment, layout: Layout) -> String {
    let quote = if layout.json { "\"" } else { "" };
    format!("{quote}{key}{quote}: {}", value.flow(layout))
}

/// The lines of a member in block style.
pub(super) fn block_entry(
    key: &str,
    value: &Fragment,
    column: usize,
    layout: Layout,
) -> Vec<String> {
    if let Fragment::Written(text) = value {
        return vec![indented(column, &format!("{key}: {text}"))];
    }
    let mut out = vec![indented(column, &format!("{key}:"))];
    out.extend(value.block(value.column_under(column, layout), layout));
    out
}

/// The lines of an item in block style, `gap` columns behind its dash.
pub(super) fn block_item(
    item: &Fragment,
    column: usize,
    gap: usize,
    layout: Layout,
) -> Vec<String> {
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
