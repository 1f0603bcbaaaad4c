//! One edit of a source: in its value, and in the YAML text that the value was read from.

use granit_parser::ScalarStyle;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::adapters::manifests::insert;
use crate::adapters::manifests::insert::Fragment;
use crate::adapters::manifests::layout::Layout;
use crate::adapters::manifests::patch::Splice;
use crate::adapters::manifests::scalar;
use crate::adapters::manifests::yaml_tree::Entry;
use crate::adapters::manifests::yaml_tree::Kind;
use crate::adapters::manifests::yaml_tree::Node;
use crate::domain::change::ChangeConflict;
use crate::domain::change::Edit;
use crate::domain::change::is_meant;
use crate::domain::kustomize_image::KustomizeImage;
use crate::domain::resources::application::HelmParameter;

/// An edit as a list and an entry in it.
pub(super) struct ListEdit<'e> {
    /// The member of a source that the list is in.
    block: &'static str,
    list: &'static str,
    /// The entry's name; `None` where the entry is its value.
    name: Option<&'e str>,
    expected: Option<&'e str>,
    value: &'e str,
    /// Whether entries say by `forceString` that they are strings.
    forced: bool,
}

/// What an edit does to its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It changes an entry.
    Change {
        /// Which.
        index: usize,
        /// Whether `forceString: true` has to be set too.
        force: bool,
    },
    /// It adds an entry.
    Append,
}

impl<'e> From<&'e Edit> for ListEdit<'e> {
    fn from(edit: &'e Edit) -> Self {
        match edit {
            Edit::HelmParameter {
                name,
                expected,
                value,
            } => Self {
                block: "helm",
                list: "parameters",
                name: Some(name),
                expected: expected.as_deref(),
                value,
                forced: true,
            },
            Edit::KustomizeImage { expected, value } => Self {
                block: "kustomize",
                list: "images",
                name: None,
                expected: expected.as_deref(),
                value,
                forced: false,
            },
            Edit::PluginEnv {
                name,
                expected,
                value,
            } => Self {
                block: "plugin",
                list: "env",
                name: Some(name),
                expected: expected.as_deref(),
                value,
                forced: false,
            },
        }
    }
}

impl ListEdit<'_> {
    /// Makes the edit in the value of a source.
    pub(super) fn apply(&self, source: &mut Value) -> Result<Step, ChangeConflict> {
        let none = Vec::new();
        let list = source
            .get(self.block)
            .and_then(|block| block.get(self.list));
        let items = list.and_then(Value::as_array).unwrap_or(&none);
        let step = self.step(items)?;
        let items = member(source, self.block, Value::Object(Map::new()))
            .and_then(|block| member(block, self.list, Value::Array(Vec::new())))
            .and_then(Value::as_array_mut);
        let Some(items) = items else {
            return Err(ChangeConflict::Moved(format!(
                "{}.{} is no list",
                self.block, self.list
            )));
        };
        match step {
            Step::Append => items.push(self.new_value()),
            Step::Change { index, force } => {
                if let Some(item) = items.get_mut(index) {
                    self.change_value(item, force);
                }
            }
        }
        Ok(step)
    }

    fn new_value(&self) -> Value {
        match self.name {
            None => json!(self.value),
            Some(name) if self.forced => {
                json!({"name": name, "value": self.value, "forceString": true})
            }
            Some(name) => json!({"name": name, "value": self.value}),
        }
    }

    fn change_value(&self, item: &mut Value, force: bool) {
        match item.as_object_mut().filter(|_| self.name.is_some()) {
            None => *item = json!(self.value),
            Some(entry) => {
                entry.insert("value".to_owned(), json!(self.value));
                if force {
                    entry.insert("forceString".to_owned(), json!(true));
                }
            }
        }
    }

    fn step(&self, items: &[Value]) -> Result<Step, ChangeConflict> {
        let new = KustomizeImage::parse(self.value);
        let what = self.name.or(self.expected);
        let what = what.unwrap_or(new.replaced_name());
        let text =
            |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
        let meant = |item: &Value| match self.name {
            Some(name) => text(item, "name").unwrap_or_default() == name,
            None => item
                .as_str()
                .is_some_and(|entry| is_meant(entry, self.expected, self.value)),
        };
        let mut meant = items.iter().enumerate().filter(|(_, item)| meant(item));
        let first = meant.next();
        if self.expected.is_some() && meant.next().is_some() {
            return Err(ChangeConflict::Ambiguous(what.to_owned()));
        }
        let found = first.map(|(_, item)| match self.name {
            Some(_) => text(item, "value").unwrap_or_default(),
            None => what.to_owned(),
        });
        if found.as_deref() != self.expected {
            return Err(ChangeConflict::moved(what, self.expected, found.as_deref()));
        }
        Ok(first.map_or(Step::Append, |(index, item)| Step::Change {
            index,
            force: self.forced
                && HelmParameter::is_retyped(self.value)
                && item.get("forceString") != Some(&Value::Bool(true)),
        }))
    }

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

/// A member of a mapping, which is put in where there is none.
fn member<'v>(mapping: &'v mut Value, key: &str, empty: Value) -> Option<&'v mut Value> {
    let member = mapping.as_object_mut()?.entry(key).or_insert(Value::Null);
    if member.is_null() {
        *member = empty;
    }
    Some(member)
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
