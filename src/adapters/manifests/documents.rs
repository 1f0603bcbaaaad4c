//! The YAML documents of a file, and the objects in them.

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;
use serde_saphyr::options::NonFiniteFloatPolicy;

use crate::adapters::manifests::lines;
use crate::adapters::manifests::yaml_tree;
use crate::adapters::wire::application;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::image_updater;

/// What the group of every kind that we read ends with. A document without it is not parsed at all.
const GROUP_MARK: &str = "argoproj.io";

/// One document of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'t> {
    /// Its text, with the comments and directives before it.
    pub(super) text: &'t str,
    /// Where it starts in the file, in bytes.
    pub(super) start: usize,
    /// The number of its first line, from 1.
    pub(super) line: usize,
}

/// A document is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The line in the file.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) reason: String,
}

/// An object of one of our kinds, and the way to it in its document.
pub(super) struct Object<'v> {
    pub(super) kind: Kind,
    pub(super) value: &'v Value,
    pub(super) path: FieldPath,
}

/// The kinds that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ImageUpdater,
    Application,
    /// One of these in a version that is not known.
    Unknown,
}

/// Splits a file at its document markers. These are markers wherever they stand at the start of a line: YAML allows them nowhere else.
pub(super) fn split(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut first_line = 1;
    let mut has_content = false;
    let mut cut = |range: std::ops::Range<usize>, line: usize| {
        if let Some(part) = text.get(range.clone()).filter(|part| !part.is_empty()) {
            documents.push(Document {
                text: part,
                start: range.start,
                line,
            });
        }
    };
    for (index, range) in lines::lines(text).enumerate() {
        let line = text.get(range.clone()).unwrap_or_default();
        let line = line.trim_start_matches('\u{feff}');
        if is_marker(line, "---") {
            if has_content {
                cut(start..range.start, first_line);
                (start, first_line) = (range.start, index + 1);
            }
            has_content = true;
        } else if is_marker(line, "...") {
            cut(start..range.end, first_line);
            (start, first_line) = (range.end, index + 2);
            has_content = false;
        } else if !line.trim().is_empty() && !line.starts_with(['#', '%']) {
            has_content = true;
        }
    }
    cut(start..text.len(), first_line);
    documents
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

impl Document<'_> {
    /// Whether an object of ours may be in it.
    pub(super) fn may_be_ours(&self) -> bool {
        self.text.contains(GROUP_MARK)
    }

    /// Its value, of which aliases and merge keys are resolved.
    pub(super) fn value(&self) -> Result<Value, Broken> {
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::Error,
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(self.text, options).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line());
            Broken {
                line: self.line + usize::try_from(line).unwrap_or(1).saturating_sub(1),
                reason: reason(error.without_snippet()),
            }
        })
    }

    /// The line in the file where its content starts.
    pub(super) fn content_line(&self) -> usize {
        let is_content = |range: std::ops::Range<usize>| {
            let line = self.text.get(range).unwrap_or_default();
            let line = line.trim_start_matches('\u{feff}');
            !line.trim().is_empty() && !line.starts_with(['#', '%']) && !is_marker(line, "---")
        };
        let before = lines::lines(self.text).position(is_content);
        self.line + before.unwrap_or(0)
    }

    /// The lines in the file of fields.
    pub(super) fn places(&self) -> Places<'_> {
        Places {
            document: *self,
            line_ends: lines::lines(self.text).map(|line| line.end).collect(),
            root: yaml_tree::parse(self.text).ok(),
        }
    }
}

/// Where the fields of a document stand.
pub(super) struct Places<'t> {
    document: Document<'t>,
    /// Where each line ends, in bytes.
    line_ends: Vec<usize>,
    root: Option<yaml_tree::Node>,
}

impl Places<'_> {
    /// The line of a field, or of the nearest thing around it that is there.
    pub(super) fn line_of(&self, path: &FieldPath) -> usize {
        let Some(root) = &self.root else {
            return self.document.content_line();
        };
        let mut node = root;
        for step in path.steps() {
            let Some(child) = node.child(step) else {
                break;
            };
            node = child;
        }
        self.document.line + self.line_ends.partition_point(|end| *end <= node.start)
    }
}

/// The objects of our kinds in a document, those in a list too.
pub(super) fn objects(document: &Value) -> Vec<Object<'_>> {
    let root = FieldPath::default();
    let kind = document.get("kind").and_then(Value::as_str);
    let items = document.get("items").and_then(Value::as_array);
    if let (Some(items), true) = (items, kind.is_some_and(|kind| kind.ends_with("List"))) {
        let items = items.iter().enumerate();
        return items
            .filter_map(|(index, item)| object(item, root.key("items").index(index)))
            .collect();
    }
    object(document, root).into_iter().collect()
}

fn object(value: &Value, path: FieldPath) -> Option<Object<'_>> {
    let api = value.get("apiVersion")?.as_str()?;
    let (group, version) = api.split_once('/')?;
    let name = value.get("kind")?.as_str()?;
    let (kind, known) = match (group, name) {
        (image_updater::GROUP, image_updater::KIND) => (Kind::ImageUpdater, image_updater::VERSION),
        (application::GROUP, application::KIND) => (Kind::Application, application::VERSION),
        _ => return None,
    };
    let kind = if version == known {
        kind
    } else {
        Kind::Unknown
    };
    Some(Object { kind, value, path })
}

/// What is wrong, without the line within the document and without advice to programmers.
fn reason(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or_default();
        return format!("the key {key:?} stands twice in one mapping");
    }
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<(&str, usize)> {
        let documents = split(text);
        documents.iter().map(|one| (one.text, one.line)).collect()
    }

    #[test]
    fn documents_are_split_at_markers() {
        assert_eq!(
            parts("a: 1\n---\nb: 1\n"),
            [("a: 1\n", 1), ("---\nb: 1\n", 2)]
        );
        assert_eq!(
            parts("# c\n---\na: 1\r\n--- # d\r\nb: 1"),
            [("# c\n---\na: 1\r\n", 1), ("--- # d\r\nb: 1", 4)]
        );
        assert_eq!(
            parts("a: 1\n...\n%YAML 1.2\n---\nb: 1\n"),
            [("a: 1\n...\n", 1), ("%YAML 1.2\n---\nb: 1\n", 3)]
        );
        assert_eq!(parts("\u{feff}---\na: 1\n").len(), 1);
        assert_eq!(parts("a: ---\n---b: 1\n").len(), 1);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn a_broken_document_says_its_line_and_leaves_the_others() {
        let documents = split("a: 1\n---\nb: 1\nc: [\n---\nd: 1\n");
        assert_eq!(documents[0].value().unwrap()["a"], 1);
        let broken = documents[1].value().unwrap_err();
        assert!((4..=5).contains(&broken.line), "{broken:?}");
        assert!(!broken.reason.contains(" at line "), "{broken:?}");
        assert_eq!(documents[2].value().unwrap()["d"], 1);
        let twice = split("\n\na: 1\na: 2\n")[0].value().unwrap_err();
        assert_eq!(twice.line, 4);
        assert_eq!(twice.reason, r#"the key "a" stands twice in one mapping"#);
    }

    #[test]
    fn a_field_has_a_line() {
        let documents = split("x: 1\n---\n# c\nspec:\n  list:\n    - a: 1\n    -\n      b: 2\n");
        let list = FieldPath::default().key("spec").key("list");
        let places = documents[1].places();
        assert_eq!(places.line_of(&list.index(0).key("a")), 6);
        assert_eq!(places.line_of(&list.index(1).key("b")), 8);
        assert_eq!(places.line_of(&list.index(1).key("missing")), 8);
        assert_eq!(places.line_of(&FieldPath::default()), 4);
        assert_eq!(documents[1].content_line(), 4);
    }

    #[test]
    fn objects_of_our_kinds_are_picked() {
        let yaml = "kind: List\nitems:\n- {apiVersion: argoproj.io/v1alpha1, kind: Application}\n- {kind: Pod}\n- {apiVersion: argocd-image-updater.argoproj.io/v1beta1, kind: ImageUpdater}\n- 3\n";
        let value = split(yaml)[0].value().unwrap();
        let found: Vec<_> = objects(&value)
            .iter()
            .map(|one| (one.kind, one.path.to_string()))
            .collect();
        assert_eq!(
            found,
            [
                (Kind::Application, "items[0]".to_owned()),
                (Kind::Unknown, "items[2]".to_owned())
            ]
        );
        let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\n";
        assert!(objects(&split(set)[0].value().unwrap()).is_empty());
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut lines = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned()];
        for level in 1..9 {
            let list = format!("*a{}, ", level - 1).repeat(9);
            lines.push(format!("a{level}: &a{level} [{list}]\n"));
        }
        let yaml = lines.concat();
        assert!(split(&yaml)[0].value().is_err());
        let deep = "[".repeat(100_000);
        assert!(split(&deep)[0].value().is_err());
    }

    proptest! {
        #[test]
        fn splitting_loses_nothing(text in "([-.#%a \u{feff}]{0,4}[\r\n]{0,2}){0,12}") {
            let documents = split(&text);
            let joined: String = documents.iter().map(|one| one.text).collect();
            prop_assert_eq!(&joined, &text);
            for document in documents {
                let before = lines::lines(&text).filter(|line| line.end <= document.start);
                prop_assert_eq!(document.line, before.count() + 1);
            }
        }
    }
}
