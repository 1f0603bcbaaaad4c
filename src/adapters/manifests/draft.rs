//! A text of YAML documents in which changes are made, document by document.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;

use serde_json::Value;

use crate::adapters::manifests::documents;
use crate::adapters::manifests::documents::Broken;
use crate::adapters::manifests::documents::Kind;
use crate::adapters::manifests::edit::ListEdit;
use crate::adapters::manifests::edit::Step as EditStep;
use crate::adapters::manifests::layout::Layout;
use crate::adapters::manifests::patch;
use crate::adapters::manifests::splice::SpliceError;
use crate::adapters::manifests::yaml_tree;
use crate::adapters::wire::application;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::field_path::Step;
use crate::domain::change::ApplicationChange;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::resource::ResourceId;

/// The documents of a text.
pub(super) struct Draft<'t> {
    parts: Vec<Part<'t>>,
    applications: HashMap<ResourceId, Vec<Place>>,
    /// The last document that may be ours and is no YAML.
    broken: Option<Broken>,
    default_namespace: &'t str,
}

/// A document as it is by now.
struct Part<'t> {
    text: Cow<'t, str>,
    /// Its value; null where none of ours can be in it.
    value: Value,
}

/// Where an Application stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The number of its document, from 0.
    pub(super) document: usize,
    /// The way to it in the document.
    path: FieldPath,
}

/// A change, and the way to its Application in the document.
pub(super) struct Task<'c> {
    path: FieldPath,
    change: &'c ApplicationChange,
}

impl<'c> Task<'c> {
    pub(super) fn new(place: Place, change: &'c ApplicationChange) -> Self {
        let path = place.path;
        Self { path, change }
    }
}

/// The edits that are still to be made in each Application, and the way to the source of each.
type Pending<'c> = BTreeMap<FieldPath, VecDeque<(FieldPath, ListEdit<'c>, EditStep)>>;

/// What became of each of several changes.
type Results = Vec<Result<(), SpliceError>>;

impl<'t> Draft<'t> {
    /// Reads a text. An Application without a namespace is taken to be in the default one.
    pub(super) fn of(text: &'t str, default_namespace: &'t str) -> Self {
        let mut draft = Self {
            parts: Vec::new(),
            applications: HashMap::new(),
            broken: None,
            default_namespace,
        };
        for document in documents::split(text) {
            let value = if document.may_be_ours() {
                document.value().unwrap_or_else(|broken| {
                    draft.broken = Some(broken);
                    Value::Null
                })
            } else {
                Value::Null
            };
            draft.enter(&value);
            let text = Cow::Borrowed(document.text);
            draft.parts.push(Part { text, value });
        }
        draft
    }

    /// Notes the Applications of the next document.
    fn enter(&mut self, document: &Value) {
        let objects = documents::objects(document).into_iter();
        for object in objects.filter(|object| object.kind == Kind::Application) {
            if let Some(id) = id(object.value, self.default_namespace) {
                self.applications.entry(id).or_default().push(Place {
                    document: self.parts.len(),
                    path: object.path,
                });
            }
        }
    }

    /// Where an Application stands.
    pub(super) fn find(&self, id: &ResourceId) -> Result<Place, SpliceError> {
        let places = self.applications.get(id).map_or(&[][..], Vec::as_slice);
        match (places, &self.broken) {
            ([place], _) => Ok(place.clone()),
            ([], None) => Err(SpliceError::Gone),
            ([], Some(broken)) => Err(SpliceError::Refused(format!(
                "the file is no YAML at line {}: {}",
                broken.line, broken.reason
            ))),
            ([_, _, ..], _) => Err(SpliceError::Refused(
                "it stands more than once in the file; keep one of them".to_owned(),
            )),
        }
    }

    /// Makes changes of Applications in one document, and gives one result for each. They are made and checked together; where that does
    /// not come out, each half of them is, so that the others are made without the one that is to blame.
    pub(super) fn change(&mut self, document: usize, tasks: &[Task<'_>]) -> Results {
        match (self.attempt(document, tasks), tasks) {
            (Ok((part, results)), _) => {
                if let Some(old) = self.parts.get_mut(document) {
                    *old = part;
                }
                results
            }
            (Err(error), [] | [_]) => vec![Err(error)],
            (Err(_), _) => {
                let (first, second) = tasks.split_at(tasks.len() / 2);
                let mut results = self.change(document, first);
                results.extend(self.change(document, second));
                results
            }
        }
    }

    /// The text with what was changed.
    pub(super) fn into_text(self) -> String {
        self.parts.into_iter().map(|part| part.text).collect()
    }

    /// The document with all changes made that its value allows. An error is about them as a whole.
    fn attempt(
        &self,
        document: usize,
        tasks: &[Task<'_>],
    ) -> Result<(Part<'t>, Results), SpliceError> {
        let part = self.parts.get(document).ok_or(SpliceError::Gone)?;
        let mut value = part.value.clone();
        let mut pending = Pending::new();
        let results = tasks
            .iter()
            .map(|task| plan(&mut value, task, self.default_namespace, &mut pending))
            .collect();
        let mut text = part.text.clone();
        while !pending.is_empty() {
            text = Cow::Owned(edited(&text, &mut pending).map_err(SpliceError::Refused)?);
        }
        if self.holds(document, &text, &value) {
            return Ok((Part { text, value }, results));
        }
        Err(SpliceError::Refused(
            "the edit would change other values too; write out what anchors and merge keys share"
                .to_owned(),
        ))
    }

    /// Whether a text in the place of a document has a value, and leaves the documents beside it what they are. Where one document starts
    /// does not depend on what is further away.
    fn holds(&self, document: usize, text: &str, value: &Value) -> bool {
        let beside = |index: Option<usize>| index.and_then(|index| self.parts.get(index));
        let before = beside(document.checked_sub(1)).map(|part| part.text.as_ref());
        let after = beside(document.checked_add(1)).map(|part| part.text.as_ref());
        let wanted: Vec<&str> = before.into_iter().chain([text]).chain(after).collect();
        let joined = wanted.concat();
        let found = documents::split(&joined);
        let same = found.iter().map(|one| one.text).eq(wanted);
        let edited = found.get(usize::from(before.is_some()));
        same && edited.is_some_and(|edited| edited.value().as_ref() == Ok(value))
    }
}

fn id(object: &Value, default_namespace: &str) -> Option<ResourceId> {
    let member = |key| object.get("metadata")?.get(key)?.as_str();
    Some(ResourceId {
        name: member("name")?.to_owned(),
        namespace: member("namespace").unwrap_or(default_namespace).to_owned(),
    })
}

/// Makes a change in the value of a document, all of it or nothing, and notes what has to be done to the text.
fn plan<'c>(
    document: &mut Value,
    task: &Task<'c>,
    default_namespace: &str,
    pending: &mut Pending<'c>,
) -> Result<(), SpliceError> {
    let place = task.change.source;
    let object = at(document, &task.path).ok_or(SpliceError::Gone)?;
    check_source(object, place, default_namespace)?;
    let mut changed = object.clone();
    let source = at(&mut changed, &source_path(&FieldPath::default(), place));
    let source = source.ok_or_else(|| no_source(place))?;
    let mut steps = Vec::new();
    for edit in &task.change.edits {
        let edit = ListEdit::from(edit);
        let step = edit.apply(source)?;
        steps.push((source_path(&task.path, place), edit, step));
    }
    *object = changed;
    if !steps.is_empty() {
        pending.entry(task.path.clone()).or_default().extend(steps);
    }
    Ok(())
}

/// The text of a document with the next edit of each Application made. Applications do not overlap, so one look at the text is enough for
/// all of them; within one, each edit is made in what the one before it left.
fn edited(text: &str, pending: &mut Pending<'_>) -> Result<String, String> {
    let root = yaml_tree::parse(text).map_err(|error| error.to_string())?;
    let layout = Layout::of(text, &root);
    let mut splices = Vec::new();
    for (source, edit, step) in pending.values_mut().filter_map(VecDeque::pop_front) {
        let node = source
            .steps()
            .iter()
            .try_fold(&root, yaml_tree::Node::child)
            .ok_or("an alias or a merge key brings its source in; write it out")?;
        splices.extend(edit.splices(step, text, node, layout)?);
    }
    pending.retain(|_, edits| !edits.is_empty());
    patch::spliced(text, splices).ok_or_else(|| "what is to be written overlaps".to_owned())
}

fn source_path(application: &FieldPath, place: SourcePlace) -> FieldPath {
    let spec = application.key("spec");
    match place {
        SourcePlace::Single => spec.key("source"),
        SourcePlace::Multiple(index) => spec.key("sources").index(index),
        SourcePlace::Hydrator => spec.key("sourceHydrator").key("drySource"),
    }
}

fn no_source(place: SourcePlace) -> SpliceError {
    SpliceError::Moved(format!("it has no {place}"))
}

/// The Application must be valid, and the source one of those that count.
fn check_source(
    object: &Value,
    place: SourcePlace,
    default_namespace: &str,
) -> Result<(), SpliceError> {
    let (application, findings) = application::read(object, default_namespace);
    let Some(application) = application else {
        let errors: Vec<_> = findings.errors.iter().map(ToString::to_string).collect();
        return Err(SpliceError::Refused(errors.join("; ")));
    };
    match application.sources.at(place) {
        Some(_) => Ok(()),
        None => Err(no_source(place)),
    }
}

fn at<'v>(value: &'v mut Value, path: &FieldPath) -> Option<&'v mut Value> {
    path.steps()
        .iter()
        .try_fold(value, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Index(index) => value.get_mut(*index),
        })
}
