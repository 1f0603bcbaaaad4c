//! `ImageUpdater` of `argocd-image-updater.argoproj.io/v1alpha1`, by the rules of its
//! [CRD](https://github.com/argoproj-labs/argocd-image-updater/tree/master/config/crd): what the API server rejects is invalid here, what
//! it prunes is ignored with a warning, and its defaults are filled in.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::adapters::wire::field::Field;
use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::findings::Findings;
use crate::adapters::wire::image_updater_status;
use crate::adapters::wire::metadata;
use crate::adapters::wire::update_settings;
use crate::domain::resources::image_updater::ApplicationRef;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater::LabelExpression;
use crate::domain::resources::image_updater::LabelSelector;
use crate::domain::resources::image_updater::ManifestTarget;
use crate::domain::resources::image_updater::NamedTarget;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::image_updater::WriteBackSettings;

/// The object's group.
pub const GROUP: &str = "argocd-image-updater.argoproj.io";
/// The object's version.
pub const VERSION: &str = "v1alpha1";
/// The object's kind.
pub const KIND: &str = "ImageUpdater";

/// The longest name of a plugin's variable, in characters.
const MAX_VARIABLE: usize = 253;

/// Reads an object; there is none where anything is wrong with it. One without a namespace is taken to be in the default one.
#[must_use]
pub fn read(object: &Value, default_namespace: &str) -> (Option<ImageUpdater>, Findings) {
    let mut findings = Findings::default();
    let root = Field::root(object);
    root.only(
        &["apiVersion", "kind", "metadata", "spec", "status"],
        &mut findings,
    );
    let metadata = metadata::read(&root, default_namespace, &mut findings);
    let spec = spec(&root, &mut findings);
    let updater = findings.errors.is_empty().then_some(ImageUpdater {
        id: metadata.id,
        created: metadata.created,
        generation: metadata.generation,
        applications: spec.applications,
        settings: spec.settings,
        write_back: spec.write_back,
        verification: spec.verification,
        status: root
            .get("status")
            .map(|status| image_updater_status::read(status.value()))
            .unwrap_or_default(),
    });
    (updater, findings)
}

#[derive(Default)]
struct Spec {
    applications: Vec<ApplicationRef>,
    settings: UpdateSettings,
    write_back: WriteBackSettings,
    verification: Option<VerificationSettings>,
}

fn spec(root: &Field<'_>, findings: &mut Findings) -> Spec {
    let Some(spec) = root.object("spec", findings) else {
        let refs = root.path().key("spec").key("applicationRefs");
        findings.error(&refs, "is missing: name the Applications");
        return Spec::default();
    };
    spec.only(
        &[
            "applicationRefs",
            "commonUpdateSettings",
            "writeBackConfig",
            "imagesVerification",
        ],
        findings,
    );
    Spec {
        applications: application_refs(&spec, findings),
        settings: update_settings::settings(&spec, findings),
        write_back: update_settings::write_back(&spec, findings),
        verification: update_settings::verification(&spec, findings),
    }
}

fn application_refs(spec: &Field<'_>, findings: &mut Findings) -> Vec<ApplicationRef> {
    let before = findings.errors.len();
    let items = spec.objects("applicationRefs", findings);
    if items.is_empty() && findings.errors.len() == before {
        findings.error(
            &spec.path().key("applicationRefs"),
            "is empty: name at least one Application",
        );
    }
    let refs: Vec<_> = items
        .iter()
        .map(|item| application_ref(item, findings))
        .collect();
    let names = refs.iter().map(|one| one.name_pattern.as_str());
    unique(&items, names, "namePattern", findings);
    refs
}

fn application_ref(item: &Field<'_>, findings: &mut Findings) -> ApplicationRef {
    item.only(
        &[
            "namePattern",
            "labelSelectors",
            "useAnnotations",
            "images",
            "commonUpdateSettings",
            "writeBackConfig",
            "imagesVerification",
        ],
        findings,
    );
    let use_annotations = item.flag("useAnnotations", findings).unwrap_or(false);
    let before = findings.errors.len();
    let items = item.objects("images", findings);
    if !use_annotations && items.is_empty() && findings.errors.len() == before {
        findings.error(
            item.path(),
            "has no images: give at least one, or set useAnnotations to true",
        );
    }
    let images: Vec<_> = items
        .iter()
        .map(|image| image_config(image, findings))
        .collect();
    let aliases = images.iter().map(|image| image.alias.as_str());
    unique(&items, aliases, "alias", findings);
    ApplicationRef {
        name_pattern: item.required_text("namePattern", findings),
        labels: label_selector(item, findings),
        use_annotations,
        images,
        settings: update_settings::settings(item, findings),
        write_back: update_settings::write_back(item, findings),
        verification: update_settings::verification(item, findings),
    }
}

/// Reports every item of a list whose key an earlier one has. Missing keys, which are empty here, were reported as such.
fn unique<'k>(
    items: &[Field<'_>],
    keys: impl Iterator<Item = &'k str>,
    name: &str,
    findings: &mut Findings,
) {
    let mut seen = BTreeSet::new();
    for (item, key) in items.iter().zip(keys) {
        if item.get(name).is_some() && !seen.insert(key) {
            let reason = format!("is {key:?}, as that of an earlier item; it must be unique");
            findings.error(&item.path().key(name), reason);
        }
    }
}

fn label_selector(item: &Field<'_>, findings: &mut Findings) -> Option<LabelSelector> {
    let selector = item.object("labelSelectors", findings)?;
    selector.only(&["matchLabels", "matchExpressions"], findings);
    let expressions = selector.objects("matchExpressions", findings);
    Some(LabelSelector {
        labels: selector.text_map("matchLabels", findings),
        expressions: expressions
            .iter()
            .map(|expression| {
                expression.only(&["key", "operator", "values"], findings);
                LabelExpression {
                    key: expression.required_text("key", findings),
                    operator: expression.required_text("operator", findings),
                    values: expression.texts("values", findings).unwrap_or_default(),
                }
            })
            .collect(),
    })
}

fn image_config(image: &Field<'_>, findings: &mut Findings) -> ImageConfig {
    image.only(
        &[
            "alias",
            "imageName",
            "commonUpdateSettings",
            "manifestTargets",
            "imagesVerification",
        ],
        findings,
    );
    let alias = image.required_text("alias", findings);
    if image.get("alias").is_some() && !is_alias(&alias) {
        let reason = format!(
            "is {alias:?}; an alias consists of letters, digits, \"-\", \".\" and \"_\", and starts with a letter or digit"
        );
        findings.error(&image.path().key("alias"), reason);
    }
    ImageConfig {
        alias,
        image_name: image.required_text("imageName", findings),
        settings: update_settings::settings(image, findings),
        target: manifest_target(image, findings),
        verification: update_settings::verification(image, findings),
    }
}

/// `^[a-zA-Z0-9][a-zA-Z0-9-._]*$`
fn is_alias(alias: &str) -> bool {
    alias.starts_with(|first: char| first.is_ascii_alphanumeric())
        && alias
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn manifest_target(image: &Field<'_>, findings: &mut Findings) -> ManifestTarget {
    let Some(block) = image.object("manifestTargets", findings) else {
        return ManifestTarget::default();
    };
    let kinds = ["helm", "kustomize", "plugin"];
    block.only(&kinds, findings);
    if kinds
        .iter()
        .filter(|kind| block.get(kind).is_some())
        .count()
        != 1
    {
        findings.error(
            block.path(),
            "must have exactly one of helm, kustomize and plugin",
        );
    }
    let kustomize = block.object("kustomize", findings);
    ManifestTarget {
        helm: named_target(&block, "helm", findings),
        kustomize: kustomize.map(|target| {
            target.only(&["name"], findings);
            target.required_text("name", findings)
        }),
        plugin: named_target(&block, "plugin", findings)
            .inspect(|target| check_plugin(target, &block.path().key("plugin"), findings)),
    }
}

fn named_target(block: &Field<'_>, kind: &str, findings: &mut Findings) -> Option<NamedTarget> {
    let target = block.object(kind, findings)?;
    target.only(&["name", "tag", "spec"], findings);
    Some(NamedTarget {
        name: target.text("name", findings),
        tag: target.text("tag", findings),
        spec: target.text("spec", findings),
    })
}

fn check_plugin(target: &NamedTarget, path: &FieldPath, findings: &mut Findings) {
    let members = [
        ("name", &target.name),
        ("tag", &target.tag),
        ("spec", &target.spec),
    ];
    for (key, value) in members {
        let fits = |name: &String| (1..=MAX_VARIABLE).contains(&name.chars().count());
        if value.as_ref().is_some_and(|value| !fits(value)) {
            findings.error(&path.key(key), "must have 1 to 253 characters");
        }
    }
    if target.spec.is_none() && target.name.is_none() {
        findings.error(path, "must have spec or name");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn updater(spec: &Value) -> Value {
        json!({"apiVersion": "argocd-image-updater.argoproj.io/v1alpha1", "kind": "ImageUpdater", "metadata": {"name": "images"}, "spec": spec})
    }

    /// An object with one ref whose only image has these members beyond alias and name.
    fn image(members: &Value) -> Value {
        let mut image = json!({"alias": "web", "imageName": "nginx"});
        let map = image.as_object_mut().unwrap();
        map.extend(members.as_object().unwrap().clone());
        updater(&json!({"applicationRefs": [{"namePattern": "*", "images": [image]}]}))
    }

    fn errors(object: &Value) -> Vec<String> {
        let (updater, findings) = read(object, "argocd");
        assert_eq!(updater.is_none(), !findings.errors.is_empty());
        findings.errors.iter().map(ToString::to_string).collect()
    }

    fn whole() -> Value {
        json!({
            "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
            "kind": "ImageUpdater",
            "metadata": {"name": "images", "namespace": "team-a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {
                "applicationRefs": [{
                    "namePattern": "shop-*",
                    "labelSelectors": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]},
                    "useAnnotations": false,
                    "images": [{
                        "alias": "web", "imageName": "nginx:~1.27",
                        "commonUpdateSettings": {"updateStrategy": "digest", "platforms": ["linux/amd64"]},
                        "manifestTargets": {"helm": {"name": "image.name", "tag": "image.tag"}},
                        "imagesVerification": {"enabled": false},
                    }],
                    "commonUpdateSettings": {"forceUpdate": true, "allowTags": "regexp:^1", "ignoreTags": []},
                    "writeBackConfig": {"method": "git:secret:argocd/creds", "gitConfig": {"repository": "r", "branch": "b", "writeBackTarget": "kustomization", "pullRequest": {"github": {}, "labels": ["a"]}}},
                    "imagesVerification": {"cosignKey": {"secretName": "s", "key": "cosign.pub"}},
                }],
                "commonUpdateSettings": {"pullSecret": "pullsecret:argocd/reg"},
            },
            "status": {"imagesManaged": 3},
        })
    }

    #[test]
    fn every_field_is_read() {
        let (read, findings) = read(&whole(), "argocd");
        assert_eq!(findings, Findings::default());
        let read = read.unwrap();
        assert_eq!(read.id.to_string(), "team-a/images");
        assert_eq!(read.created.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(
            read.settings.pull_secret.as_deref(),
            Some("pullsecret:argocd/reg")
        );
        let one = &read.applications[0];
        assert_eq!(one.name_pattern, "shop-*");
        let selector = one.labels.as_ref().unwrap();
        assert_eq!(selector.labels["a"], "b");
        assert_eq!(selector.expressions[0].values, ["v"]);
        assert_eq!(one.settings.force_update, Some(true));
        assert_eq!(one.settings.ignore_tags, Some(Vec::new()));
        assert_eq!(
            one.write_back.method.as_deref(),
            Some("git:secret:argocd/creds")
        );
        assert_eq!(one.write_back.target.as_deref(), Some("kustomization"));
        let verification = one.verification.as_ref().unwrap();
        assert_eq!(verification.enabled, Some(true));
        assert_eq!(verification.cosign_key.as_ref().unwrap().key, "cosign.pub");
        let image = &one.images[0];
        assert_eq!(image.image_name, "nginx:~1.27");
        assert_eq!(image.settings.strategy.as_deref(), Some("digest"));
        assert_eq!(
            image.settings.platforms,
            Some(vec!["linux/amd64".to_owned()])
        );
        assert_eq!(
            image.target.helm.as_ref().unwrap().tag.as_deref(),
            Some("image.tag")
        );
        assert_eq!(image.verification.as_ref().unwrap().enabled, Some(false));
    }

    #[test]
    fn every_error_of_an_object_is_named() {
        let object = updater(&json!({
            "applicationRefs": [
                {"images": [{"alias": "-a"}, {"alias": "b", "imageName": 1.5}, {"alias": "b", "imageName": "x"}]},
                {"namePattern": "a", "images": []},
                {"namePattern": "a", "useAnnotations": true},
                "text",
            ],
            "writeBackConfig": {"method": "ftp"},
        }));
        let reported = errors(&object);
        let paths: Vec<_> = reported
            .iter()
            .filter_map(|error| error.split(' ').next())
            .collect();
        assert_eq!(
            paths,
            [
                "spec.applicationRefs[3]",
                "spec.applicationRefs[0].images[0].alias",
                "spec.applicationRefs[0].images[0].imageName",
                "spec.applicationRefs[0].images[1].imageName",
                "spec.applicationRefs[0].images[2].alias",
                "spec.applicationRefs[0].namePattern",
                "spec.applicationRefs[1]",
                "spec.applicationRefs[2].namePattern",
                "spec.writeBackConfig.method",
            ],
            "{reported:#?}"
        );
    }

    #[test]
    fn an_object_without_applications_is_invalid() {
        for spec in [
            json!(null),
            json!({}),
            json!({"applicationRefs": []}),
            json!({"applicationRefs": null}),
        ] {
            assert!(errors(&updater(&spec))[0].starts_with("spec.applicationRefs is"));
        }
        assert_eq!(
            errors(&updater(&json!([]))),
            [
                "spec must be a mapping",
                "spec.applicationRefs is missing: name the Applications"
            ]
        );
    }

    #[test]
    fn exactly_one_target_is_allowed() {
        for (targets, expected) in [
            (
                json!({}),
                Some("must have exactly one of helm, kustomize and plugin"),
            ),
            (
                json!({"helm": {}, "kustomize": {"name": "n"}}),
                Some("must have exactly one of helm, kustomize and plugin"),
            ),
            (json!({"kustomize": {}}), Some("is missing")),
            (
                json!({"plugin": {"tag": "T"}}),
                Some("must have spec or name"),
            ),
            (
                json!({"plugin": {"name": ""}}),
                Some("must have 1 to 253 characters"),
            ),
            (
                json!({"plugin": {"spec": "x".repeat(254)}}),
                Some("must have 1 to 253 characters"),
            ),
            (json!({"plugin": {"spec": "é".repeat(253)}}), None),
            (json!({"helm": {}}), None),
            (json!({"kustomize": {"name": "n"}, "helm": null}), None),
        ] {
            let reported = errors(&image(&json!({"manifestTargets": targets})));
            assert_eq!(
                reported.len(),
                usize::from(expected.is_some()),
                "{targets}: {reported:?}"
            );
            if let Some(expected) = expected {
                assert!(reported[0].ends_with(expected), "{targets}: {reported:?}");
            }
        }
    }

    #[test]
    fn verification_that_is_enabled_needs_a_key() {
        for (block, count) in [
            (json!({}), 1),
            (json!({"enabled": true}), 1),
            (json!({"enabled": false}), 0),
            (json!({"cosignKey": {"secretName": "s"}}), 1),
            (json!({"cosignKey": {"secretName": "s", "key": "k"}}), 0),
            (
                json!({"enabled": null, "cosignKey": {"secretName": "s", "key": "k"}}),
                0,
            ),
        ] {
            let reported = errors(&image(&json!({"imagesVerification": block})));
            assert_eq!(reported.len(), count, "{block}: {reported:?}");
        }
    }

    #[test]
    fn methods_and_pull_requests_follow_the_crd() {
        let with = |config: Value| {
            updater(
                &json!({"applicationRefs": [{"namePattern": "a", "useAnnotations": true}], "writeBackConfig": config}),
            )
        };
        for method in [
            "argocd",
            "git",
            "git:repocreds",
            "git:secret:argocd/git-creds",
        ] {
            assert_eq!(
                errors(&with(json!({"method": method}))),
                Vec::<String>::new()
            );
        }
        for method in ["", "GIT", "git:", "git:-x", "git:a b", "argocd "] {
            assert_eq!(
                errors(&with(json!({"method": method}))).len(),
                1,
                "{method}"
            );
        }
        for (request, count) in [
            (json!({}), 1),
            (json!({"github": {}, "gitlab": {}}), 1),
            (json!({"gitlab": {}, "labels": [""]}), 1),
            (json!({"gitlab": {}, "labels": vec!["a"; 101]}), 1),
            (json!({"gitlab": {}, "labels": vec!["a"; 100]}), 0),
        ] {
            let reported = errors(&with(json!({"gitConfig": {"pullRequest": request}})));
            assert_eq!(reported.len(), count, "{request}: {reported:?}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored_with_a_warning() {
        let mut object = image(&json!({"updateStrategy": "digest"}));
        object["spec"]["namespace"] = json!("argocd");
        let (read, findings) = read(&object, "argocd");
        assert!(read.is_some());
        let warned: Vec<_> = findings.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warned,
            [
                "spec.namespace is no known field and is ignored",
                "spec.applicationRefs[0].images[0].updateStrategy is no known field and is ignored",
            ]
        );
    }
}
