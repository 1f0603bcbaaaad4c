//! What a file holds for us.

use std::sync::Arc;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::adapters::manifests::documents;
use crate::adapters::manifests::documents::Document;
use crate::adapters::manifests::documents::Kind;
use crate::adapters::manifests::documents::Object;
use crate::adapters::manifests::documents::Places;
use crate::adapters::wire::application;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::field_path::Step;
use crate::adapters::wire::findings::Findings;
use crate::adapters::wire::image_updater;
use crate::domain::resources::application::Application;
use crate::domain::resources::image_updater::ImageUpdater;

/// A text that says it is an object of ours. A file that is no YAML and does not is some template of somebody else's.
static OURS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\bkind["']?\s*:\s*["']?(ImageUpdater|Application)\b"#).ok());

/// The objects of a file, and what there is to say about them.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) updaters: Vec<Found<ImageUpdater>>,
    pub(super) applications: Vec<Found<Application>>,
    pub(super) reports: Vec<Report>,
}

/// An object and the line it starts in, from 1.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub(super) object: Arc<T>,
    pub(super) line: usize,
}

/// Something to say about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) line: usize,
    pub(super) message: String,
}

impl Contents {
    /// Reads a file. Whatever is none of ours in it is passed over in silence.
    pub(super) fn read(bytes: &[u8], default_namespace: &str) -> Self {
        let mut contents = Self::default();
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) && says_ours(&text) {
            contents.report(1, "the file is left out: it is not UTF-8".to_owned());
            return contents;
        }
        for document in documents::split(&text) {
            if document.may_be_ours() {
                contents.read_document(document, default_namespace);
            }
        }
        contents
    }

    /// Says that the whole file is of no use.
    pub(super) fn unusable(message: String) -> Self {
        let mut contents = Self::default();
        contents.report(1, message);
        contents
    }

    fn read_document(&mut self, document: Document<'_>, default_namespace: &str) {
        let value = match document.value() {
            Ok(value) => value,
            Err(broken) => {
                if says_ours(document.text) {
                    let message = format!("the document is left out: {}", broken.reason);
                    self.report(broken.line, message);
                }
                return;
            }
        };
        let places = std::cell::LazyCell::new(|| document.places());
        for object in documents::objects(&value) {
            self.read_object(&object, document, &places, default_namespace);
        }
    }

    fn read_object<'t>(
        &mut self,
        object: &Object<'_>,
        document: Document<'t>,
        places: &std::cell::LazyCell<Places<'t>, impl FnOnce() -> Places<'t>>,
        default_namespace: &str,
    ) {
        let line = if object.path.steps().is_empty() {
            document.content_line()
        } else {
            places.line_of(&object.path)
        };
        let findings = match object.kind {
            Kind::ImageUpdater => {
                let (read, findings) = image_updater::read(object.value, default_namespace);
                self.updaters.extend(read.map(|one| Found::new(one, line)));
                findings
            }
            Kind::Application => {
                let (read, findings) = application::read(object.value, default_namespace);
                self.applications
                    .extend(read.map(|one| Found::new(one, line)));
                findings
            }
            Kind::Unknown => {
                let message = "is left out: only version v1alpha1 is known";
                self.report(line, format!("{} {message}", title(object.value)));
                return;
            }
        };
        self.report_findings(&findings, object, |path| places.line_of(path));
    }

    fn report_findings(
        &mut self,
        findings: &Findings,
        object: &Object<'_>,
        line_of: impl Fn(&FieldPath) -> usize,
    ) {
        let title = title(object.value);
        for (fate, finding) in findings.told() {
            let path = joined(&object.path, &finding.path);
            self.report(line_of(&path), format!("{title}{fate}: {finding}"));
        }
    }

    fn report(&mut self, line: usize, message: String) {
        self.reports.push(Report { line, message });
    }
}

impl<T> Found<T> {
    fn new(object: T, line: usize) -> Self {
        Self {
            object: Arc::new(object),
            line,
        }
    }
}

fn says_ours(text: &str) -> bool {
    OURS.as_ref().is_some_and(|ours| ours.is_match(text))
}

/// Kind and name, as far as an object has them.
fn title(object: &Value) -> String {
    let kind = object.get("kind").and_then(Value::as_str);
    let metadata = object.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name")?.as_str());
    let words: Vec<_> = kind.into_iter().chain(name).collect();
    words.join(" ")
}

fn joined(path: &FieldPath, rest: &FieldPath) -> FieldPath {
    rest.steps()
        .iter()
        .fold(path.clone(), |path, step| match step {
            Step::Key(key) => path.key(key),
            Step::Index(index) => path.index(*index),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Contents {
        Contents::read(text.as_bytes(), "argocd")
    }

    fn reports(contents: &Contents) -> Vec<(usize, &str)> {
        let reports = contents.reports.iter();
        reports
            .map(|one| (one.line, one.message.as_str()))
            .collect()
    }

    #[test]
    fn objects_are_found_among_others() {
        let contents = read(
            "kind: ConfigMap\ndata: {note: argoproj.io}\n---\n\n# the app\napiVersion: argoproj.io/v1alpha1\nkind: Application\n\
             metadata: {name: shop}\nspec: {source: {}}\n---\napiVersion: argoproj.io/v1alpha1\nkind: AppProject\n---\n\
             apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: Application\n  metadata: {name: b, namespace: team}\n  spec: {source: {}}\n",
        );
        assert!(contents.reports.is_empty());
        let found: Vec<_> = contents
            .applications
            .iter()
            .map(|one| (one.object.id.to_string(), one.line))
            .collect();
        assert_eq!(
            found,
            [("argocd/shop".to_owned(), 6), ("team/b".to_owned(), 17)]
        );
    }

    #[test]
    fn invalid_objects_are_reported_with_their_lines_and_stop_no_other() {
        let contents = read(
            "apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nkind: ImageUpdater\nmetadata: {name: images}\nspec:\n  namespace: x\n\
             \x20 applicationRefs:\n  - namePattern: a\n    images:\n    - alias: web\n      imageName: nginx\n    - alias: -x\n---\n\
             apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: [\n---\n\
             apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: {source: {}}\n---\n\
             apiVersion: argoproj.io/v2\nkind: Application\nmetadata: {name: next}\n",
        );
        assert_eq!(contents.updaters.len(), 0);
        assert_eq!(contents.applications.len(), 1);
        let reports = reports(&contents);
        assert_eq!(reports.len(), 5, "{reports:#?}");
        assert_eq!(reports[0].0, 11);
        assert!(reports[0].1.starts_with(
            "ImageUpdater images is left out: spec.applicationRefs[0].images[1].alias is \"-x\""
        ));
        assert_eq!(
            reports[1],
            (
                11,
                "ImageUpdater images is left out: spec.applicationRefs[0].images[1].imageName is missing"
            )
        );
        assert_eq!(
            reports[2],
            (
                5,
                "ImageUpdater images: spec.namespace is no known field and is ignored"
            )
        );
        assert!(reports[3].1.starts_with("the document is left out: "));
        assert_eq!(
            reports[4],
            (
                23,
                "Application next is left out: only version v1alpha1 is known"
            )
        );
    }

    #[test]
    fn templates_of_others_are_passed_over() {
        for text in [
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {{ .Values.spec }}\n  x: [\n",
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: [\n",
            "{{- if .Values.x }}\na: b\n{{- end }}\n",
            "kind: Application\nfoo: [",
        ] {
            let contents = read(text);
            assert!(
                contents.reports.is_empty(),
                "{text}: {:?}",
                contents.reports
            );
        }
    }

    #[test]
    fn a_template_of_ours_is_reported() {
        let contents =
            read("apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  {{- toYaml . }}\n");
        assert_eq!(contents.reports.len(), 1);
    }

    #[test]
    fn what_is_not_utf_8_is_reported_if_it_may_be_ours() {
        let mut bytes = b"apiVersion: argoproj.io/v1alpha1\nkind: Application\nnote: ".to_vec();
        bytes.push(0xff);
        assert_eq!(
            reports(&Contents::read(&bytes, "argocd")),
            [(1, "the file is left out: it is not UTF-8")]
        );
        assert!(Contents::read(&[0xff, 0xfe], "argocd").reports.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut text = b"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n".to_vec();
            text.extend(bytes);
            Contents::read(&text, "argocd");
        }
    }
}
