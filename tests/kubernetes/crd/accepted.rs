//! What is let in.

use serde_json::Value;
use serde_json::json;

use super::objects::image;
use super::objects::pull_request;
use super::objects::rule;
use super::objects::spec;
use super::objects::target;
use super::objects::updater;
use super::objects::verified;

/// Objects that are let in.
pub(super) fn accepted() -> Vec<Value> {
    let long = "x".repeat(253);
    let key = json!({"secretName": "cosign", "key": "cosign.pub"});
    let mut accepted = vec![
        rule(&json!({})),
        rule(&json!({"namePattern": ""})),
        rule(&json!({"namePattern": "[", "labelSelectors": {}})),
        rule(
            &json!({"labelSelectors": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}}),
        ),
        rule(&json!({"labelSelectors": {"matchExpressions": [{"key": "k", "operator": "Near"}]}})),
        rule(&json!({"useAnnotations": true})),
        rule(&json!({"useAnnotations": true, "images": []})),
        rule(&json!({"useAnnotations": true, "images": null})),
        rule(&json!({"useAnnotations": null})),
        updater(&json!({"applicationRefs": [{"namePattern": "*", "useAnnotations": true}]})),
        updater(
            &json!({"applicationRefs": [{"namePattern": "a", "useAnnotations": true}, {"namePattern": "b", "useAnnotations": true}]}),
        ),
        spec(
            &json!({"commonUpdateSettings": {"updateStrategy": "no-such", "forceUpdate": true, "allowTags": "", "ignoreTags": [], "pullSecret": "x", "platforms": ["linux/amd64", "linux/amd64"]}}),
        ),
        spec(&json!({"commonUpdateSettings": {}, "writeBackConfig": {}})),
        spec(&json!({"commonUpdateSettings": {"forceUpdate": null}})),
        spec(&json!({"namespace": "argocd"})),
        spec(&json!({"imagesVerification": {"cosignKey": key}})),
        spec(&json!({"imagesVerification": {"enabled": false}})),
        rule(&json!({"imagesVerification": {"enabled": true, "cosignKey": key}})),
        verified(&json!({"enabled": null, "cosignKey": key})),
        verified(&json!({"enabled": false, "cosignKey": key})),
        image(&json!({"alias": "A.b-c_1"})),
        image(&json!({"imageName": ""})),
        image(&json!({"commonUpdateSettings": {"updateStrategy": ""}})),
        target(&json!({"helm": {}})),
        target(&json!({"helm": {"name": "", "tag": "", "spec": ""}})),
        target(&json!({"kustomize": {"name": ""}})),
        target(&json!({"kustomize": {"name": "n"}, "helm": null})),
        target(&json!({"plugin": {"spec": long, "tag": "T"}})),
        target(&json!({"plugin": {"name": "N"}})),
        pull_request(&json!({"github": {}})),
        pull_request(&json!({"gitlab": {}, "labels": []})),
        pull_request(&json!({"gitlab": {}, "labels": vec!["a"; 100]})),
        pull_request(&json!({"github": {}, "labels": ["é".repeat(255)]})),
        rule(
            &json!({"writeBackConfig": {"gitConfig": {"repository": "", "branch": "a:b:c", "writeBackTarget": "x"}}}),
        ),
    ];
    for method in ["argocd", "git", "git:repocreds", "git:secret:argocd/creds"] {
        accepted.push(spec(&json!({"writeBackConfig": {"method": method}})));
    }
    accepted
}
