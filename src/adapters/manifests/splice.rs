//! Changes of Applications as edits of the YAML text they stand in.
//!
//! Only the bytes of the values that change are replaced, and lines added where something new is needed. Comments, order, quotes, line
//! breaks and blank lines stay. The result is parsed again: unless exactly the named values differ, it is thrown away.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::adapters::manifests::draft::Draft;
use crate::adapters::manifests::draft::Task;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;

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
    let (edited, results) = apply_all(text, &[change], default_namespace);
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(edited)
}

/// The text with several changes made, each with all its edits or not at all, and what became of each. It is read once for all of them.
#[must_use]
pub fn apply_all(
    text: &str,
    changes: &[&ApplicationChange],
    default_namespace: &str,
) -> (String, Vec<Result<(), SpliceError>>) {
    let mut draft = Draft::of(text, default_namespace);
    let mut results = BTreeMap::new();
    let mut by_document: BTreeMap<usize, (Vec<usize>, Vec<Task<'_>>)> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        match draft.find(&change.application) {
            Ok(place) => {
                let (numbers, tasks) = by_document.entry(place.document).or_default();
                numbers.push(number);
                tasks.push(Task::new(place, change));
            }
            Err(error) => _ = results.insert(number, Err(error)),
        }
    }
    for (document, (numbers, tasks)) in by_document {
        results.extend(numbers.into_iter().zip(draft.change(document, &tasks)));
    }
    (draft.into_text(), results.into_values().collect())
}
