//! A change of an Application as an edit of the YAML text it stands in.
//!
//! Only the bytes of the values that change are replaced, and lines added where something new is needed. Comments, order, quotes, line
//! breaks and blank lines stay. The result is parsed again: unless exactly the named values differ, it is thrown away.

use serde_json::Value;
use thiserror::Error;

use crate::adapters::manifests::documents;
use crate::adapters::manifests::documents::Document;
use crate::adapters::manifests::documents::Kind;
use crate::adapters::manifests::documents::Object;
use crate::adapters::manifests::edit::ListEdit;
use crate::adapters::manifests::edit::Step as EditStep;
use crate::adapters::manifests::insert;
use crate::adapters::manifests::layout::Layout;
use crate::adapters::manifests::yaml_tree;
use crate::adapters::wire::application;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::field_path::Step;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::resource::ResourceId;

/// Why a text was not edited.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpliceError {
    /// The Application is not in the text.
    #[error("the Application is not there")]
    Gone,
    /// Something else stands where the change wants to write.
    #[error("{0}")]
    Moved(String),
    /// The edit cannot be made in this text.
    #[error("{0}")]
    Refused(String),
}

impl From<ChangeConflict> for SpliceError {
    fn from(conflict: ChangeConflict) -> Self {
        match conflict {
            ChangeConflict::Moved(reason) => Self::Moved(reason),
            ChangeConflict::Ambiguous(_) => Self::Refused(conflict.to_string()),
        }
    }
}

/// The text with all edits of a change made. An Application without a namespace is taken to be in the default one.
///
/// # Errors
/// [`SpliceError`], where not all of them can be made.
pub fn apply(
    text: &str,
    change: &ApplicationChange,
    default_namespace: &str,
) -> Result<String, SpliceError> {
    let place = find(text, &change.application, default_namespace)?;
    let source = source_path(&place.path, change.source);
    let mut wanted = place.value;
    check_source(&mut wanted, &place.path, change.source, default_namespace)?;
    let mut document = place.document.text.to_owned();
    for edit in &change.edits {
        let edit = ListEdit::from(edit);
        let value = at(&mut wanted, &source).ok_or_else(|| no_source(change.source))?;
        let step = edit.apply(value)?;
        document = edited(&document, &edit, step, &source).map_err(SpliceError::Refused)?;
    }
    let start = place.document.start;
    let mut whole = text.to_owned();
    whole.replace_range(start..start + place.document.text.len(), &document);
    if only_differs_in(text, &whole, start, &wanted) {
        return Ok(whole);
    }
    Err(SpliceError::Refused(
        "the edit would change other values too; write out what anchors and merge keys share"
            .to_owned(),
    ))
}

/// An Application in a text.
struct Place<'t> {
    document: Document<'t>,
    /// The whole document.
    value: Value,
    /// The way to the Application in it.
    path: FieldPath,
}

fn find<'t>(
    text: &'t str,
    id: &ResourceId,
    default_namespace: &str,
) -> Result<Place<'t>, SpliceError> {
    let mut found = None;
    let mut broken = None;
    for document in documents::split(text) {
        if !document.may_be_ours() {
            continue;
        }
        let value = match document.value() {
            Ok(value) => value,
            Err(reason) => {
                broken = Some(reason);
                continue;
            }
        };
        let ours = |object: &Object<'_>| {
            object.kind == Kind::Application && has_id(object.value, id, default_namespace)
        };
        let objects = documents::objects(&value).into_iter();
        let mut paths: Vec<_> = objects.filter(ours).map(|object| object.path).collect();
        if paths.len() + usize::from(found.is_some()) > 1 {
            return Err(SpliceError::Refused(
                "it stands more than once in the file; keep one of them".to_owned(),
            ));
        }
        if let Some(path) = paths.pop() {
            found = Some(Place {
                document,
                value,
                path,
            });
        }
    }
    found.ok_or_else(|| match broken {
        None => SpliceError::Gone,
        Some(broken) => SpliceError::Refused(format!(
            "the file is no YAML at line {}: {}",
            broken.line, broken.reason
        )),
    })
}

fn has_id(object: &Value, id: &ResourceId, default_namespace: &str) -> bool {
    let member = |key| object.get("metadata")?.get(key)?.as_str();
    member("name") == Some(&id.name)
        && member("namespace").unwrap_or(default_namespace) == id.namespace
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
    document: &mut Value,
    path: &FieldPath,
    place: SourcePlace,
    default_namespace: &str,
) -> Result<(), SpliceError> {
    let object = at(document, path).ok_or(SpliceError::Gone)?;
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

/// The text of a document with one edit made.
fn edited(
    text: &str,
    edit: &ListEdit<'_>,
    step: EditStep,
    source: &FieldPath,
) -> Result<String, String> {
    let root = yaml_tree::parse(text).map_err(|error| error.to_string())?;
    let layout = Layout::of(text, &root);
    let node = source
        .steps()
        .iter()
        .try_fold(&root, yaml_tree::Node::child)
        .ok_or("an alias or a merge key brings its source in; write it out")?;
    let splices = edit.splices(step, text, node, layout)?;
    Ok(insert::spliced(text, splices))
}

/// Whether a text has the value that is wanted in the document at a place, and all its other documents unchanged.
fn only_differs_in(before: &str, after: &str, place: usize, wanted: &Value) -> bool {
    let (before, after) = (documents::split(before), documents::split(after));
    before.len() == after.len()
        && before.iter().zip(&after).all(|(old, new)| {
            if old.start == place {
                new.value().as_ref() == Ok(wanted)
            } else {
                old.text == new.text
            }
        })
}
