//! The nodes of a YAML document and the bytes they stand in.

use std::ops::Range;

use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::Span;
use granit_parser::StrInput;
use granit_parser::StructureStyle;
use thiserror::Error;

use crate::adapters::manifests::scalar;
use crate::adapters::wire::field_path::Step;

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Where it starts, its anchor and tag included.
    pub(super) start: usize,
    /// Its bytes without anchor and tag. Those of a block collection start at its first key or dash, or behind that dash.
    pub(super) span: Range<usize>,
    /// Where its content ends: before the blank lines that follow a block scalar, unless they belong to it.
    pub(super) end: usize,
    /// The column it starts in, in characters from 0.
    pub(super) column: usize,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    /// A text, or nothing: then its bytes are none.
    Scalar {
        text: String,
        style: ScalarStyle,
    },
    Sequence {
        items: Vec<Node>,
        flow: bool,
    },
    Mapping {
        entries: Vec<Entry>,
        flow: bool,
    },
    Alias,
}

/// A member of a mapping.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) value: Node,
}

/// A text is no YAML document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub(super) struct NoDocument(String);

impl Node {
    /// The member of a mapping.
    pub(super) fn member(&self, key: &str) -> Option<&Entry> {
        let Kind::Mapping { entries, .. } = &self.kind else {
            return None;
        };
        entries
            .iter()
            .find(|entry| matches!(&entry.key.kind, Kind::Scalar { text, .. } if text == key))
    }

    /// The node one step further.
    pub(super) fn child(&self, step: &Step) -> Option<&Node> {
        match (step, &self.kind) {
            (Step::Key(key), _) => self.member(key).map(|entry| &entry.value),
            (Step::Index(index), Kind::Sequence { items, .. }) => items.get(*index),
            (Step::Index(_), _) => None,
        }
    }

    /// Whether it is a scalar that is not there, such as the value of `images:`.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self.kind, Kind::Scalar { .. }) && self.span.is_empty()
    }
}

/// Reads the first document of a text.
pub(super) fn parse(text: &str) -> Result<Node, NoDocument> {
    let mut options = granit_parser::options! { emit_anchor_events: true };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        text,
        open: Vec::new(),
        root: None,
    };
    while builder.root.is_none() {
        let Some((event, span)) = next(&mut parser)? else {
            return Err(NoDocument("it is empty".to_owned()));
        };
        builder.take(&mut parser, event, span)?;
    }
    builder
        .root
        .ok_or_else(|| NoDocument("it is empty".to_owned()))
}

type Events<'t> = Parser<'t, StrInput<'t>>;

fn next<'t>(parser: &mut Events<'t>) -> Result<Option<(Event<'t>, Span)>, NoDocument> {
    parser
        .next_event()
        .transpose()
        .map_err(|error| NoDocument(error.to_string()))
}

/// Puts events together to nodes.
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    root: Option<Node>,
}

/// A collection whose end has not come.
struct Open {
    node: Node,
    /// The key that waits for its value.
    key: Option<Node>,
}

impl<'t> Builder<'t> {
    fn take(
        &mut self,
        parser: &mut Events<'t>,
        event: Event<'t>,
        span: Span,
    ) -> Result<(), NoDocument> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let text = text.into_owned();
                let node = node(parser, Kind::Scalar { text, style }, anchor, span)?;
                self.add(self.trimmed(node));
            }
            Event::Alias(_) => {
                let node = node(parser, Kind::Alias, 0, span)?;
                self.add(node);
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let items = Vec::new();
                let node = node(parser, Kind::Sequence { items, flow }, anchor, span)?;
                self.open.push(Open { node, key: None });
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let entries = Vec::new();
                let node = node(parser, Kind::Mapping { entries, flow }, anchor, span)?;
                self.open.push(Open { node, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let end = bytes(span)?.end;
                    self.add(closed(open.node, end));
                }
            }
            // The stream's and the document's marks carry nothing, and whatever a later parser may say besides nodes neither.
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.node.kind {
            Kind::Sequence { items, .. } => items.push(node),
            Kind::Mapping { entries, .. } => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => entries.push(Entry { key, value: node }),
            },
            Kind::Scalar { .. } | Kind::Alias => {}
        }
    }

    fn trimmed(&self, mut node: Node) -> Node {
        if let Kind::Scalar { style, .. } = &node.kind
            && matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && !scalar::keeps_blank_lines(self.text, node.span.start)
        {
            let content = self.text.get(node.span.clone()).unwrap_or_default();
            node.end = node.span.start + content.trim_end().len();
        }
        node
    }
}

fn node(
    parser: &mut Events<'_>,
    kind: Kind,
    anchor: usize,
    span: Span,
) -> Result<Node, NoDocument> {
    let bytes = bytes(span)?;
    let mut start = bytes.start;
    if let Some(tag) = span.tag_start().and_then(|mark| mark.byte_offset()) {
        start = start.min(tag);
    }
    // The event of an anchor follows that of its node at once.
    if anchor != 0
        && let Some((Event::Anchor(..), place)) = next(parser)?
        && let Some(place) = place.byte_range()
    {
        start = start.min(place.start);
    }
    Ok(Node {
        kind,
        start,
        end: bytes.end,
        span: bytes,
        column: span.start.col(),
    })
}

/// A collection that ends. The events of a block collection end where the next thing starts, so its last child says where it ends.
fn closed(mut node: Node, end: usize) -> Node {
    let last = match &node.kind {
        Kind::Sequence { items, flow: false } => items.last().map(|item| item.end),
        Kind::Mapping {
            entries,
            flow: false,
        } => entries
            .last()
            .map(|entry| entry.value.end.max(entry.key.end)),
        Kind::Sequence { .. } | Kind::Mapping { .. } | Kind::Scalar { .. } | Kind::Alias => {
            Some(end)
        }
    };
    node.end = last.unwrap_or(node.span.start);
    node.span.end = node.end.max(node.span.start);
    node
}

fn bytes(span: Span) -> Result<Range<usize>, NoDocument> {
    span.byte_range()
        .ok_or_else(|| NoDocument("its positions are not known".to_owned()))
}
