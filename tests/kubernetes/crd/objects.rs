//! ImageUpdaters that are right except for what they are given.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

pub(super) fn updater(spec: &Value) -> Value {
    json!({"apiVersion": "argocd-image-updater.argoproj.io/v1alpha1", "kind": "ImageUpdater", "metadata": {"name": "images"}, "spec": spec})
}

/// An object with one rule that has these fields beside its name and an image.
pub(super) fn rule(fields: &Value) -> Value {
    let mut rule = json!({"namePattern": "*", "images": [{"alias": "web", "imageName": "nginx"}]});
    rule.as_object_mut().unwrap().extend(map(fields));
    updater(&json!({"applicationRefs": [rule]}))
}

/// An object with one image that has these fields beside its names.
pub(super) fn image(fields: &Value) -> Value {
    let mut image = json!({"alias": "web", "imageName": "nginx"});
    image.as_object_mut().unwrap().extend(map(fields));
    rule(&json!({"images": [image]}))
}

/// An object with these fields beside the rules.
pub(super) fn spec(fields: &Value) -> Value {
    let mut object = rule(&json!({}));
    object["spec"].as_object_mut().unwrap().extend(map(fields));
    object
}

pub(super) fn pull_request(fields: &Value) -> Value {
    spec(&json!({"writeBackConfig": {"method": "git", "gitConfig": {"pullRequest": fields}}}))
}

pub(super) fn target(fields: &Value) -> Value {
    image(&json!({"manifestTargets": fields}))
}

pub(super) fn verified(fields: &Value) -> Value {
    image(&json!({"imagesVerification": fields}))
}

fn map(fields: &Value) -> Map<String, Value> {
    fields.as_object().unwrap().clone()
}
