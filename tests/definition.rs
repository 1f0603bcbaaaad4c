//! The definition of the custom resource: what is committed is what the program prints, and its schema is that of the Go program.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::adapters::wire::crd;
use serde_json::Map;
use serde_json::Value;

const COMMITTED: &str = "config/crd/argocd-image-updater.argoproj.io_imageupdaters.yaml";

/// Helm takes definitions from this folder.
const OF_THE_CHART: &str =
    "config/charts/argocd-image-updater/crds/argocd-image-updater.argoproj.io_imageupdaters.yaml";

/// The folder of the published definitions, where there is one.
const PUBLISHED: &str = "IMAGE_UPDATER_TEST_CRDS";

#[test]
fn the_committed_definition_is_up_to_date() {
    let expected = crd::yaml().unwrap();
    for file in [COMMITTED, OF_THE_CHART] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &expected).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == expected,
            "{file} is out of date; run UPDATE_DOCS=1 cargo test --test definition"
        );
    }
    let read: Value = serde_saphyr::from_str(&expected).unwrap();
    assert_eq!(plain(read), plain(ours()), "the YAML says the same");
}

/// The API server warns of formats that it does not know, and keeps nulls where a field may be null.
#[test]
fn the_schema_says_nothing_that_the_api_server_takes_otherwise() {
    let mut seen = 0;
    walk(&ours(), &mut |node| {
        seen += 1;
        let format = node.get("format").and_then(Value::as_str);
        assert!(
            matches!(format, None | Some("int32" | "int64" | "date-time")),
            "{node:?}"
        );
        for key in ["nullable", "$ref", "oneOf", "anyOf", "allOf"] {
            assert!(!node.contains_key(key), "{key}: {node:?}");
        }
    });
    assert!(seen > 100);
}

#[test]
fn the_schema_is_the_published_one() {
    let folder = env::var_os(PUBLISHED).map(PathBuf::from);
    let path = folder.map(|folder| folder.join("imageupdater-crd.yaml"));
    let Some(path) = path.filter(|path| Path::exists(path)) else {
        return;
    };
    let text = fs::read_to_string(path).unwrap();
    let mut published: Value = serde_saphyr::from_str(&text).unwrap();
    // The generator's version.
    published["metadata"]["annotations"] = Value::Null;
    let root = &mut published["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    // Every object has these; the API server adds them to a schema that does not say so.
    for key in ["apiVersion", "kind", "metadata"] {
        root.as_object_mut().unwrap().remove(key).unwrap();
    }
    let differences = differences("", &plain(published), &plain(ours()));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn differences_are_found() {
    let a = serde_json::json!({"a": {"b": 1.0}, "c": [1, 2]});
    let b = serde_json::json!({"a": {"b": 2}, "c": [1]});
    assert_eq!(differences("", &plain(a.clone()), &plain(b)).len(), 2);
    assert_eq!(
        differences("", &plain(a), &serde_json::json!({"a": {}})).len(),
        2
    );
}

fn ours() -> Value {
    serde_json::to_value(crd::definition()).unwrap()
}

/// Without descriptions and empty fields, and with one spelling of numbers and of sets.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter_map(plain_field).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        other => other,
    }
}

fn plain_field((key, value): (String, Value)) -> Option<(String, Value)> {
    match (key.as_str(), value) {
        (_, Value::Null) | ("description", Value::String(_)) => None,
        ("required", Value::Array(mut names)) => {
            names.sort_by_key(ToString::to_string);
            Some((key, Value::Array(names)))
        }
        (_, value) => Some((key, plain(value))),
    }
}

/// Where two values differ, by paths.
fn differences(path: &str, published: &Value, ours: &Value) -> Vec<String> {
    match (published, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.flat_map(|key| {
                let (a, b) = (a.get(key), b.get(key));
                let none = Value::Null;
                differences(
                    &format!("{path}.{key}"),
                    a.unwrap_or(&none),
                    b.unwrap_or(&none),
                )
            })
            .collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .flat_map(|(index, (a, b))| differences(&format!("{path}[{index}]"), a, b))
                .collect()
        }
        (a, b) if a == b => Vec::new(),
        (a, b) => vec![format!("{path}: published {a}, ours {b}")],
    }
}

/// Visits every object in a value.
fn walk(value: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            visit(fields);
            fields.values().for_each(|field| walk(field, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
