//! `metadata`, which all kinds of objects share.

use crate::adapters::wire::field::Field;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::findings::Findings;
use crate::domain::resources::labels::Labels;
use crate::domain::resources::resource::ResourceId;

/// The longest name of an object, in bytes.
const MAX_NAME: usize = 253;
/// The longest name of a namespace, in bytes.
const MAX_LABEL: usize = 63;

/// The members of `metadata` that are used.
pub(super) struct Metadata {
    pub(super) id: ResourceId,
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
    pub(super) created: Option<String>,
    pub(super) generation: Option<i64>,
}

/// Reads `metadata` of an object. Name and namespace must be what
/// [Kubernetes allows](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
pub(super) fn read(
    object: &Field<'_>,
    default_namespace: &str,
    findings: &mut Findings,
) -> Metadata {
    let Some(metadata) = object.object("metadata", findings) else {
        findings.error(&object.path().key("metadata").key("name"), "is missing");
        return Metadata {
            id: ResourceId {
                namespace: String::new(),
                name: String::new(),
            },
            labels: Labels::default(),
            annotations: Labels::default(),
            created: None,
            generation: None,
        };
    };
    let namespace = metadata.text("namespace", findings);
    let id = ResourceId {
        namespace: namespace.unwrap_or_else(|| default_namespace.to_owned()),
        name: metadata.required_text("name", findings),
    };
    check_id(&id, metadata.path(), findings);
    Metadata {
        id,
        labels: metadata.text_map("labels", findings).into(),
        annotations: metadata.text_map("annotations", findings).into(),
        created: metadata.text("creationTimestamp", findings),
        generation: metadata.integer("generation", findings),
    }
}

fn check_id(id: &ResourceId, path: &FieldPath, findings: &mut Findings) {
    // A missing name has been reported; an empty one has not.
    let name_ok = id.name.len() <= MAX_NAME && id.name.split('.').all(is_label);
    let reported = findings
        .errors
        .iter()
        .any(|finding| finding.path == path.key("name"));
    if !name_ok && !reported {
        let reason = format!(
            "is {:?}; a name consists of lower-case letters, digits, \"-\" and \".\"",
            id.name
        );
        findings.error(&path.key("name"), reason);
    }
    if !is_label(&id.namespace) || id.namespace.len() > MAX_LABEL {
        let reason = format!(
            "is {:?}; a namespace consists of lower-case letters, digits and \"-\"",
            id.namespace
        );
        findings.error(&path.key("namespace"), reason);
    }
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}
