//! An edit of any text: it does not panic, and what it makes differs in the named list of the named Application alone.
//!
//! The first byte chooses the kind of edit and the source; then follow, each ended by a form feed, what is expected and what is written,
//! and the text.

#![no_main]

use image_updater::adapters::manifests::splice;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::resource::ResourceId;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Every kind of edit writes an entry of this name, as the seeds do.
const NAME: &str = "image.tag";

fuzz_target!(|bytes: &[u8]| {
    let Some((shape, rest)) = bytes.split_first() else {
        return;
    };
    let Ok(rest) = std::str::from_utf8(rest) else {
        return;
    };
    let mut parts = rest.splitn(3, '\x0c');
    let (Some(expected), Some(value), Some(text)) = (parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let expected = (expected != "-").then(|| expected.to_owned());
    let (edit, list) = edit(*shape, expected, value.to_owned());
    let change = ApplicationChange {
        application: ResourceId {
            namespace: "argocd".to_owned(),
            name: "shop".to_owned(),
        },
        source: match shape / 3 % 3 {
            0 => SourcePlace::Single,
            1 => SourcePlace::Hydrator,
            _ => SourcePlace::Multiple(usize::from(shape / 9)),
        },
        edits: vec![edit],
        images: Vec::new(),
    };
    if let Ok(edited) = splice::apply(text, &change, "argocd") {
        check(text, &edited, list, value);
    }
});

/// An edit, and the path of the list it is in.
fn edit(shape: u8, expected: Option<String>, value: String) -> (Edit, &'static str) {
    let name = NAME.to_owned();
    match shape % 3 {
        0 => (
            Edit::HelmParameter {
                name,
                expected,
                value,
            },
            "helm.parameters",
        ),
        1 => (Edit::KustomizeImage { expected, value }, "kustomize.images"),
        _ => (
            Edit::PluginEnv {
                name,
                expected,
                value,
            },
            "plugin.env",
        ),
    }
}

fn check(before: &str, after: &str, list: &str, value: &str) {
    let parse = |text| serde_saphyr::from_multiple::<Value>(text);
    // A document that is no YAML may stand beside the one that is edited.
    let Ok(old) = parse(before) else {
        return;
    };
    let new = parse(after).expect("a good text stays one");
    assert_eq!(old.len(), new.len());
    let mut places = Vec::new();
    for (old, new) in old.iter().zip(&new) {
        differences(old, new, String::new(), &mut places);
    }
    for (place, new) in &places {
        let block = list.split('.').next().unwrap_or(list);
        let whole = place.ends_with(&format!(".{block}"));
        assert!(
            whole || place.contains(&format!(".{list}")),
            "{place} changed"
        );
        let written = serde_json::to_string(value).expect("a text is JSON");
        assert!(new.contains(&written) || place.ends_with(".forceString"));
    }
}

/// The paths of values that differ, and the new values.
fn differences(old: &Value, new: &Value, path: String, places: &mut Vec<(String, String)>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let null = Value::Null;
                let (old, new) = (old.get(key).unwrap_or(&null), new.get(key).unwrap_or(&null));
                differences(old, new, format!("{path}.{key}"), places);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (old, new) in old.iter().zip(new) {
                differences(old, new, format!("{path}."), places);
            }
        }
        (old, new) if old != new => places.push((path, new.to_string())),
        _ => {}
    }
}
