//! Secrets in YAML documents.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::adapters::manifests::documents;
use crate::adapters::manifests::documents::Document;

/// What a document with a Secret has in it. Others are not parsed at all.
const MARK: &str = "Secret";

/// A Secret with its values. It has no `Debug`.
pub(super) struct SecretDocument {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The line in which the document begins, from 1.
    pub(super) line: usize,
    data: BTreeMap<String, Option<Vec<u8>>>,
}

/// A field of a Secret.
pub(super) enum Field {
    Value(Vec<u8>),
    Absent,
    /// It is in `data` and no Base64.
    Broken,
}

/// The Secrets in a file.
pub(super) fn read(text: &str, default_namespace: &str) -> Vec<SecretDocument> {
    documents::split(text)
        .into_iter()
        .filter(|document| document.text.contains(MARK))
        .flat_map(|document| of_document(document, default_namespace))
        .collect()
}

/// Those of a document, in a list too. What is no YAML has none.
fn of_document(document: Document<'_>, default_namespace: &str) -> Vec<SecretDocument> {
    let line = document.content_line();
    let Ok(value) = document.value() else {
        return Vec::new();
    };
    let items = value.get("items").and_then(Value::as_array);
    let all = match items {
        Some(items) => items.iter().collect(),
        None => vec![&value],
    };
    all.into_iter()
        .filter_map(|object| secret(object, line, default_namespace))
        .collect()
}

fn secret(object: &Value, line: usize, default_namespace: &str) -> Option<SecretDocument> {
    let text = |object: &Value, key: &str| object.get(key)?.as_str().map(str::to_owned);
    let is_secret = text(object, "apiVersion")? == "v1" && text(object, "kind")? == MARK;
    let metadata = object.get("metadata").filter(|_| is_secret)?;
    let namespace = text(metadata, "namespace").filter(|namespace| !namespace.is_empty());
    Some(SecretDocument {
        namespace: namespace.unwrap_or_else(|| default_namespace.to_owned()),
        name: text(metadata, "name")?,
        line,
        data: data(object),
    })
}

/// As the API server takes them: what stands in `stringData` comes before what stands in `data`.
fn data(object: &Value) -> BTreeMap<String, Option<Vec<u8>>> {
    let members = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let encoded = members("data").map(|(key, value)| {
        let text: String = value
            .as_str()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let decoded = value.is_string().then(|| BASE64_STANDARD.decode(text).ok());
        (key.clone(), decoded.flatten())
    });
    let plain = members("stringData").map(|(key, value)| {
        let text = value.as_str().map(|text| text.as_bytes().to_vec());
        (key.clone(), text)
    });
    encoded.chain(plain).collect()
}

impl SecretDocument {
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    pub(super) fn field(&self, field: &str) -> Field {
        match self.data.get(field) {
            Some(Some(value)) => Field::Value(value.clone()),
            Some(None) => Field::Broken,
            None => Field::Absent,
        }
    }
}
