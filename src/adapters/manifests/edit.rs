//! One edit of a source, in its value.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::domain::change::ChangeConflict;
use crate::domain::change::Edit;
use crate::domain::resources::application::HelmParameter;

/// An edit as a list and an entry in it.
pub(super) struct ListEdit<'e> {
    /// The member of a source that the list is in.
    pub(super) block: &'static str,
    pub(super) list: &'static str,
    /// The entry's name; `None` where the entry is its value.
    pub(super) name: Option<&'e str>,
    expected: Option<&'e str>,
    pub(super) value: &'e str,
    /// Whether entries say by `forceString` that they are strings.
    pub(super) forced: bool,
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
        let what = self.name.or(self.expected).unwrap_or(self.value);
        let text =
            |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
        let meant = |item: &Value| match self.name {
            Some(name) => text(item, "name").unwrap_or_default() == name,
            None => item.as_str() == Some(what),
        };
        let mut meant = items.iter().enumerate().filter(|(_, item)| meant(item));
        let first = meant.next();
        if meant.next().is_some() {
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
}

/// A member of a mapping, which is put in where there is none.
fn member<'v>(mapping: &'v mut Value, key: &str, empty: Value) -> Option<&'v mut Value> {
    let member = mapping.as_object_mut()?.entry(key).or_insert(Value::Null);
    if member.is_null() {
        *member = empty;
    }
    Some(member)
}
