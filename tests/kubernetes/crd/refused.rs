//! What is refused, with a part of why.

use serde_json::Value;
use serde_json::json;

use super::objects::image;
use super::objects::pull_request;
use super::objects::rule;
use super::objects::spec;
use super::objects::target;
use super::objects::updater;
use super::objects::verified;

type Refused = Vec<(Value, &'static str)>;

const NO_IMAGES: &str =
    "Either useAnnotations must be true, or images must be provided with at least one item";
const NO_KEY: &str =
    "at least one verification method (cosignKey) is required when verification is enabled";
const ONE_TARGET: &str = "Exactly one of helm, kustomize, or plugin must be specified within manifestTargets if the block is present.";
const NO_VARIABLE: &str = "At least one of spec or name must be specified in plugin target.";
const ONE_HOST: &str = "Exactly one of github or gitlab must be set";

/// Objects that are refused, with a part of why.
pub(super) fn refused() -> Refused {
    [
        rules(),
        images(),
        targets(),
        verifications(),
        settings(),
        patterns(),
    ]
    .concat()
}

fn rules() -> Refused {
    vec![
        (updater(&json!({})), "spec.applicationRefs: Required value"),
        (updater(&json!({"applicationRefs": null})), "Required value"),
        (
            updater(&json!({"applicationRefs": []})),
            "should have at least 1 items",
        ),
        (
            updater(&json!({"applicationRefs": {}})),
            "must be of type array",
        ),
        (
            rule(&json!({"namePattern": null})),
            "namePattern: Required value",
        ),
        (
            updater(&json!({"applicationRefs": [{"images": [{"alias": "a", "imageName": "a"}]}]})),
            "namePattern: Required value",
        ),
        (
            updater(
                &json!({"applicationRefs": [{"namePattern": "a", "useAnnotations": true}, {"namePattern": "a", "useAnnotations": true}]}),
            ),
            "Duplicate value",
        ),
        (rule(&json!({"images": []})), NO_IMAGES),
        (rule(&json!({"images": null})), NO_IMAGES),
        (
            rule(&json!({"useAnnotations": false, "images": []})),
            NO_IMAGES,
        ),
        (
            rule(&json!({"useAnnotations": "true"})),
            "must be of type boolean",
        ),
        (
            rule(&json!({"labelSelectors": {"matchExpressions": [{"operator": "Exists"}]}})),
            "key: Required value",
        ),
        (
            rule(&json!({"labelSelectors": {"matchExpressions": [{"key": "k"}]}})),
            "operator: Required value",
        ),
        (
            rule(&json!({"labelSelectors": {"matchLabels": {"a": 1}}})),
            "must be of type string",
        ),
    ]
}

fn images() -> Refused {
    vec![
        (image(&json!({"alias": null})), "alias: Required value"),
        (
            image(&json!({"imageName": null})),
            "imageName: Required value",
        ),
        (image(&json!({"imageName": 1.27})), "must be of type string"),
        (
            rule(
                &json!({"images": [{"alias": "a", "imageName": "a"}, {"alias": "a", "imageName": "b"}]}),
            ),
            "Duplicate value",
        ),
    ]
}

fn targets() -> Refused {
    let long = "x".repeat(254);
    vec![
        (target(&json!({})), ONE_TARGET),
        (
            target(&json!({"helm": {}, "kustomize": {"name": "n"}})),
            ONE_TARGET,
        ),
        (target(&json!({"kustomize": {}})), "name: Required value"),
        (target(&json!({"plugin": {}})), NO_VARIABLE),
        (target(&json!({"plugin": {"tag": "T"}})), NO_VARIABLE),
        (
            target(&json!({"plugin": {"name": ""}})),
            "should be at least 1 chars long",
        ),
        (
            target(&json!({"plugin": {"spec": long}})),
            "may not be more than 253",
        ),
        (
            target(&json!({"plugin": {"name": "N", "tag": long}})),
            "may not be more than 253",
        ),
    ]
}

fn verifications() -> Refused {
    vec![
        (verified(&json!({})), NO_KEY),
        (verified(&json!({"enabled": true})), NO_KEY),
        (verified(&json!({"enabled": null})), NO_KEY),
        (
            verified(&json!({"cosignKey": {"secretName": "s"}})),
            "key: Required value",
        ),
        (
            verified(&json!({"cosignKey": {"key": "k"}})),
            "secretName: Required value",
        ),
        (rule(&json!({"imagesVerification": {}})), NO_KEY),
        (spec(&json!({"imagesVerification": {}})), NO_KEY),
    ]
}

fn settings() -> Refused {
    vec![
        (
            spec(&json!({"commonUpdateSettings": {"ignoreTags": [1]}})),
            "must be of type string",
        ),
        (
            spec(&json!({"commonUpdateSettings": {"platforms": "linux/amd64"}})),
            "must be of type array",
        ),
        (pull_request(&json!({})), ONE_HOST),
        (pull_request(&json!({"labels": ["a"]})), ONE_HOST),
        (pull_request(&json!({"github": {}, "gitlab": {}})), ONE_HOST),
        (
            pull_request(&json!({"github": {}, "labels": [""]})),
            "should be at least 1 chars long",
        ),
        (
            pull_request(&json!({"github": {}, "labels": ["x".repeat(256)]})),
            "may not be more than 255",
        ),
        (
            pull_request(&json!({"github": {}, "labels": vec!["a"; 101]})),
            "must have at most 100 items",
        ),
    ]
}

fn patterns() -> Refused {
    let mut refused = Vec::new();
    for alias in ["", "-a", ".a", "a/b", "a b", "é"] {
        refused.push(image(&json!({"alias": alias})));
    }
    for method in ["", "Git", "git:", "git:-a", "git:a b", " argocd", "ftp"] {
        refused.push(spec(&json!({"writeBackConfig": {"method": method}})));
    }
    refused
        .into_iter()
        .map(|object| (object, "should match"))
        .collect()
}
