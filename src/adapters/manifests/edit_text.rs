//! One edit of a source, in the YAML text that its value was read from.

use granit_parser::ScalarStyle;

use crate::adapters::manifests::edit::ListEdit;
use crate::adapters::manifests::edit::Step;
use crate::adapters::manifests::fragment::Fragment;
use crate::adapters::manifests::insert;
use crate::adapters::manifests::insert::Splice;
use crate::adapters::manifests::layout::Layout;
use crate::adapters::manifests::scalar;
use crate::adapters::manifests::yaml_tree::Entry;
use crate::adapters::manifests::yaml_tree::Kind;
use crate::adapters::manifests::yaml_tree::Node;

impl ListEdit<'_> {
    /// The splices that make the step in a source's text; the error says what stands in the way.
    pub(super) fn splices(
        &self,
        step: Step,
        text: &str,
        source: &Node,
        layout: Layout,
    ) -> Result<Vec<Splice>, String> {
        let Some(block) = own_member(source, self.block)? else {
            let new = self.new_block(layout);
            return Ok(insert::entry(text, source, self.block, &new, layout));
        };
        if is_empty(&block.value) {
            let new = self.new_block(layout);
            return Ok(insert::value(text, source, block, &new, layout));
        }
        let Some(list) = own_member(&block.value, self.list)? else {
            let new = self.new_list(layout);
            return Ok(insert::entry(text, &block.value, self.list, &new, layout));
        };
        if is_empty(&list.value) {
            let new = self.new_list(layout);
            return Ok(insert::value(text, &block.value, list, &new, layout));
        }
        let Kind::Sequence { items, .. } = &list.value.kind else {
            return Err(format!(
                "{}.{} is an alias; write it out",
                self.block, self.list
            ));
        };
        match step {
            Step::Append => {
                let new = self.new_item(items.last(), layout);
                insert::item(text, &list.value, &new, layout).ok_or_else(|| {
                    format!("the dashes of {}.{} are not seen", self.block, self.list)
                })
            }
            Step::Change { index, force } => {
                let item = items.get(index).ok_or("the entry comes from elsewhere")?;
                self.change(text, item, force, layout)
            }
        }
    }

    fn change(
        &self,
        text: &str,
        item: &Node,
        force: bool,
        layout: Layout,
    ) -> Result<Vec<Splice>, String> {
        if self.name.is_none() {
            return replaced(text, item, self.value).map(|splice| vec![splice]);
        }
        let mut splices = if let Some(member) = own_member(item, "value")? {
            vec![set(text, member, self.value, layout)?]
        } else {
            let value = Fragment::Written(written(None, self.value, layout));
            insert::entry(text, item, "value", &value, layout)
        };
        if force {
            let yes = Fragment::Written("true".to_owned());
            match own_member(item, "forceString")? {
                Some(member) => splices.push(insert::scalar(text, member, "true")),
                None => splices.extend(insert::entry(text, item, "forceString", &yes, layout)),
            }
        }
        Ok(splices)
    }

    fn new_block(&self, layout: Layout) -> Fragment {
        Fragment::Map(vec![(self.list, self.new_list(layout))])
    }

    fn new_list(&self, layout: Layout) -> Fragment {
        Fragment::List(vec![self.new_item(None, layout)])
    }

    /// A new entry, quoted as another one is.
    fn new_item(&self, like: Option<&Node>, layout: Layout) -> Fragment {
        let member = |key| like.and_then(|item| item.member(key)).map(|one| &one.value);
        let Some(name) = self.name else {
            return Fragment::Written(written(like, self.value, layout));
        };
        let mut entries = vec![
            ("name", written(member("name"), name, layout)),
            ("value", written(member("value"), self.value, layout)),
        ];
        if self.forced {
            entries.push(("forceString", "true".to_owned()));
        }
        let written = |(key, text)| (key, Fragment::Written(text));
        Fragment::Map(entries.into_iter().map(written).collect())
    }
}

/// A text in the style of another one.
fn written(like: Option<&Node>, text: &str, layout: Layout) -> String {
    let style = match like.map(|node| &node.kind) {
        Some(Kind::Scalar { style, .. }) if !layout.json => *style,
        Some(_) | None if layout.json => ScalarStyle::DoubleQuoted,
        Some(_) | None => ScalarStyle::Plain,
    };
    scalar::written(text, style)
}

/// A member's value, absent or not, becomes a text.
fn set(text: &str, member: &Entry, value: &str, layout: Layout) -> Result<Splice, String> {
    if member.value.is_absent() {
        return Ok(insert::scalar(text, member, &written(None, value, layout)));
    }
    replaced(text, &member.value, value)
}

/// A scalar becomes another text in the same style. The name of an alias is replaced, not what it stands for.
fn replaced(text: &str, old: &Node, value: &str) -> Result<Splice, String> {
    let (style, range) = match &old.kind {
        Kind::Alias => (ScalarStyle::Plain, old.span.clone()),
        Kind::Scalar {
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            ..
        } => {
            return scalar::block_replaced(text, &old.span, value);
        }
        Kind::Scalar { style, .. } => (*style, old.span.clone()),
        Kind::Sequence { .. } | Kind::Mapping { .. } => {
            return Err("a text is expected, and there is a collection".to_owned());
        }
    };
    Ok(Splice {
        range,
        text: scalar::written(value, style),
    })
}

/// A member that is written out here. One that an alias or a merge key brings in is none of ours to edit.
fn own_member<'n>(node: &'n Node, key: &str) -> Result<Option<&'n Entry>, String> {
    match node.kind {
        Kind::Mapping { .. } => Ok(node.member(key)),
        Kind::Alias => Err(format!("what {key} is in is an alias; write it out")),
        Kind::Scalar { .. } | Kind::Sequence { .. } => {
            Err(format!("what {key} is in is no mapping"))
        }
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar { .. } => true,
        Kind::Sequence { items, .. } => items.is_empty(),
        Kind::Mapping { entries, .. } => entries.is_empty(),
        Kind::Alias => false,
    }
}
