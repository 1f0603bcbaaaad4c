//! A change of an Application as a JSON Patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)).
//!
//! It tests what it replaces instead of the object's version: whatever else others write meanwhile, it neither fails because of it nor
//! reverts it. A `test` for null passes where nothing is, which the RFC leaves open and the API server does.

use json_patch::AddOperation;
use json_patch::Patch;
use json_patch::PatchOperation;
use json_patch::ReplaceOperation;
use json_patch::TestOperation;
use json_patch::jsonptr::PointerBuf;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::EnvVar;
use crate::domain::resources::application::HelmParameter;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::application::Sources;

/// The patch that makes a change to an Application, which `object` was read into. It is empty where nothing changes.
///
/// # Errors
/// [`ChangeConflict`] where what stands there is not what the change expects.
pub(super) fn patch(
    change: &ApplicationChange,
    application: &Application,
    object: &Value,
) -> Result<Patch, ChangeConflict> {
    let after = change.applied_to(application)?;
    let mut draft = Draft {
        object,
        source: pointer(change.source),
        tests: Vec::new(),
        writes: Vec::new(),
    };
    let before = application.sources.at(change.source);
    if let (Some(before), Some(after)) = (before, after.sources.at(change.source)) {
        draft.change_list(before.helm.as_deref(), after.helm.as_deref());
        draft.change_list(before.kustomize.as_deref(), after.kustomize.as_deref());
        draft.change_list(before.plugin.as_deref(), after.plugin.as_deref());
    }
    if !draft.writes.is_empty() {
        draft.test_place(change.source);
    }
    Ok(draft.finish())
}

/// An Application as Argo CD writes one, which leaves out what is empty. Where somebody else wrote it, the object itself may look otherwise.
pub(super) fn as_argo_cd_writes(application: &Application) -> Value {
    let spec = match &application.sources {
        Sources::Single(source) => json!({"source": source_json(source)}),
        Sources::Multiple(sources) => {
            let sources: Value = sources.iter().map(source_json).collect();
            json!({"sources": sources})
        }
        Sources::Hydrator(source) => json!({"sourceHydrator": {"drySource": source_json(source)}}),
    };
    json!({"spec": spec})
}

fn source_json(source: &Source) -> Value {
    let mut object = Map::new();
    let texts = [("path", &source.path), ("chart", &source.chart)];
    for (name, text) in texts {
        object.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
    }
    object.extend(source.helm.as_deref().map(block_json));
    object.extend(source.kustomize.as_deref().map(block_json));
    object.extend(source.plugin.as_deref().map(block_json));
    Value::Object(object)
}

fn block_json<T: Entry>(entries: &[T]) -> (String, Value) {
    let list: Vec<_> = entries.iter().map(Entry::json).collect();
    let block = if list.is_empty() {
        json!({})
    } else {
        json!({ T::LIST: list })
    };
    (T::BLOCK.to_owned(), block)
}

fn pointer(place: SourcePlace) -> PointerBuf {
    match place {
        SourcePlace::Single => PointerBuf::from_tokens(["spec", "source"]),
        SourcePlace::Multiple(index) => {
            PointerBuf::from_tokens(["spec", "sources"]).with_trailing_token(index)
        }
        SourcePlace::Hydrator => PointerBuf::from_tokens(["spec", "sourceHydrator", "drySource"]),
    }
}

/// An entry of a list that changes are made in.
trait Entry: PartialEq + Sized {
    /// The member of a source that the list is in.
    const BLOCK: &'static str;
    /// The list.
    const LIST: &'static str;
    /// The member that names an entry; `None`: it is a text alone.
    const NAME: Option<&'static str>;
    /// The member with the value of an entry.
    const VALUE: Option<&'static str>;

    /// The entry as Argo CD writes it.
    fn json(&self) -> Value;

    /// What makes another entry of this one: members and their new values.
    fn differences(&self, other: &Self) -> Vec<(Option<&'static str>, Value)>;
}

impl Entry for HelmParameter {
    const BLOCK: &'static str = "helm";
    const LIST: &'static str = "parameters";
    const NAME: Option<&'static str> = Some("name");
    const VALUE: Option<&'static str> = Some("value");

    fn json(&self) -> Value {
        let mut object = named_json(&self.name, &self.value);
        if self.force_string {
            object.insert("forceString".to_owned(), json!(true));
        }
        Value::Object(object)
    }

    fn differences(&self, other: &Self) -> Vec<(Option<&'static str>, Value)> {
        let mut differences = Vec::new();
        if self.value != other.value {
            differences.push((Self::VALUE, json!(other.value)));
        }
        if self.force_string != other.force_string {
            differences.push((Some("forceString"), json!(other.force_string)));
        }
        differences
    }
}

impl Entry for String {
    const BLOCK: &'static str = "kustomize";
    const LIST: &'static str = "images";
    const NAME: Option<&'static str> = None;
    const VALUE: Option<&'static str> = None;

    fn json(&self) -> Value {
        json!(self)
    }

    fn differences(&self, other: &Self) -> Vec<(Option<&'static str>, Value)> {
        vec![(None, json!(other))]
    }
}

impl Entry for EnvVar {
    const BLOCK: &'static str = "plugin";
    const LIST: &'static str = "env";
    const NAME: Option<&'static str> = Some("name");
    const VALUE: Option<&'static str> = Some("value");

    fn json(&self) -> Value {
        Value::Object(named_json(&self.name, &self.value))
    }

    fn differences(&self, other: &Self) -> Vec<(Option<&'static str>, Value)> {
        vec![(Self::VALUE, json!(other.value))]
    }
}

fn named_json(name: &str, value: &str) -> Map<String, Value> {
    let members = [("name", name), ("value", value)].into_iter();
    let given = members.filter(|(_, text)| !text.is_empty());
    given
        .map(|(member, text)| (member.to_owned(), json!(text)))
        .collect()
}

/// A patch of one source that is being made.
struct Draft<'o> {
    /// The object as it is before.
    object: &'o Value,
    /// The source in it.
    source: PointerBuf,
    /// What must be as it was, before anything is written.
    tests: Vec<TestOperation>,
    writes: Vec<PatchOperation>,
}

impl Draft<'_> {
    /// Makes one list of another, in which entries changed and others were put behind them.
    fn change_list<T: Entry>(&mut self, before: Option<&[T]>, after: Option<&[T]>) {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        for (index, (old, new)) in before.iter().zip(after).enumerate() {
            if old != new {
                self.replace(index, old, new);
            }
        }
        let added = after.get(before.len()..).unwrap_or_default();
        if !added.is_empty() {
            self.append(before.len(), added);
        }
    }

    fn replace<T: Entry>(&mut self, index: usize, old: &T, new: &T) {
        let entry = self.list::<T>().with_trailing_token(index);
        self.test(member(&entry, T::NAME));
        if T::VALUE != T::NAME {
            self.test(member(&entry, T::VALUE));
        }
        for (name, value) in old.differences(new) {
            let path = member(&entry, name);
            match name {
                // Where an empty value was left out there is none to replace.
                Some(_) => self.add(path, value),
                // Added to a list, it would come to stand before the old one.
                None => self
                    .writes
                    .push(PatchOperation::Replace(ReplaceOperation { path, value })),
            }
        }
    }

    /// Puts entries behind those that are there. List and block are made where they are missing.
    fn append<T: Entry>(&mut self, count: usize, added: &[T]) {
        let added: Vec<Value> = added.iter().map(Entry::json).collect();
        let (block, list) = (self.block::<T>(), self.list::<T>());
        if self.is_absent(&block) {
            self.test(block.clone());
            self.add(block, json!({ T::LIST: added }));
        } else if self.is_absent(&list) {
            self.test(list.clone());
            self.add(list, added.into());
        } else {
            for index in 0..count {
                self.test(member(&list.with_trailing_token(index), T::NAME));
            }
            for (index, entry) in (count..).zip(added) {
                self.add(list.with_trailing_token("-"), entry.clone());
                // It stands there only where nobody else has put one in.
                self.writes.push(PatchOperation::Test(TestOperation {
                    path: list.with_trailing_token(index),
                    value: entry,
                }));
            }
        }
    }

    /// Tests that the source is the one that Argo CD looks at, and still the one that it was.
    fn test_place(&mut self, place: SourcePlace) {
        let spec = PointerBuf::from_tokens(["spec"]);
        let stronger: &[&str] = match place {
            SourcePlace::Single => &["sourceHydrator", "sources"],
            SourcePlace::Multiple(_) => &["sourceHydrator"],
            SourcePlace::Hydrator => &[],
        };
        for name in stronger {
            self.test(spec.with_trailing_token(*name));
        }
        if let SourcePlace::Multiple(_) = place {
            self.test(self.source.with_trailing_token("path"));
            self.test(self.source.with_trailing_token("chart"));
        }
    }

    fn finish(self) -> Patch {
        let tests = self.tests.into_iter().map(PatchOperation::Test);
        Patch(tests.chain(self.writes).collect())
    }

    fn block<T: Entry>(&self) -> PointerBuf {
        self.source.with_trailing_token(T::BLOCK)
    }

    fn list<T: Entry>(&self) -> PointerBuf {
        self.block::<T>().with_trailing_token(T::LIST)
    }

    fn is_absent(&self, path: &PointerBuf) -> bool {
        self.object
            .pointer(path.as_str())
            .is_none_or(Value::is_null)
    }

    /// Lets the patch fail where something else stands by now.
    fn test(&mut self, path: PointerBuf) {
        let value = self.object.pointer(path.as_str()).cloned();
        let value = value.unwrap_or_default();
        let test = TestOperation { path, value };
        if !self.tests.contains(&test) {
            self.tests.push(test);
        }
    }

    fn add(&mut self, path: PointerBuf, value: Value) {
        let add = AddOperation { path, value };
        self.writes.push(PatchOperation::Add(add));
    }
}

fn member(entry: &PointerBuf, name: Option<&str>) -> PointerBuf {
    match name {
        Some(name) => entry.with_trailing_token(name),
        None => entry.clone(),
    }
}

#[cfg(test)]
mod tests;
