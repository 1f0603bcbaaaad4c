//! `Application` of `argoproj.io/v1alpha1`, as far as the updater looks at one: every other field may be anything.

use serde_json::Value;

use crate::adapters::wire::field::Field;
use crate::adapters::wire::findings::Findings;
use crate::adapters::wire::metadata;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::ApplicationStatus;
use crate::domain::resources::application::EnvVar;
use crate::domain::resources::application::HelmParameter;
use crate::domain::resources::application::Source;
use crate::domain::resources::application::SourceType;
use crate::domain::resources::application::Sources;

/// The object's group.
pub const GROUP: &str = "argoproj.io";
/// The object's version.
pub const VERSION: &str = "v1alpha1";
/// The object's kind.
pub const KIND: &str = "Application";

/// Reads an object; there is none where a field that is used is wrong. One without a namespace is taken to be in the default one.
#[must_use]
pub fn read(object: &Value, default_namespace: &str) -> (Option<Application>, Findings) {
    let mut findings = Findings::default();
    let root = Field::root(object);
    let metadata = metadata::read(&root, default_namespace, &mut findings);
    let sources = sources(&root, &mut findings);
    let status = status(&root, &mut findings);
    let application = sources
        .filter(|_| findings.errors.is_empty())
        .map(|sources| Application {
            id: metadata.id,
            labels: metadata.labels,
            annotations: metadata.annotations,
            sources,
            status,
        });
    (application, findings)
}

/// Argo CD looks at a hydrator before `sources`, and at those before `source`.
fn sources(root: &Field<'_>, findings: &mut Findings) -> Option<Sources> {
    let Some(spec) = root.get("spec") else {
        findings.error(&root.path().key("spec"), "is missing");
        return None;
    };
    if !spec.is_object(findings) {
        return None;
    }
    if let Some(hydrator) = spec.object("sourceHydrator", findings) {
        let Some(dry) = hydrator.get("drySource") else {
            findings.error(&hydrator.path().key("drySource"), "is missing");
            return None;
        };
        return dry
            .is_object(findings)
            .then(|| Sources::Hydrator(source(&dry, findings)));
    }
    let multiple = spec.objects("sources", findings);
    if !multiple.is_empty() {
        let read = multiple.iter().map(|one| source(one, findings));
        return Some(Sources::Multiple(read.collect()));
    }
    let Some(single) = spec.get("source") else {
        findings.error(
            spec.path(),
            "has no source: give source, sources or sourceHydrator",
        );
        return None;
    };
    single
        .is_object(findings)
        .then(|| Sources::Single(source(&single, findings)))
}

fn source(field: &Field<'_>, findings: &mut Findings) -> Source {
    let helm = field.object("helm", findings).map(|helm| {
        let parameters = helm.objects("parameters", findings);
        parameters
            .iter()
            .map(|parameter| HelmParameter {
                name: parameter.text("name", findings).unwrap_or_default(),
                value: parameter.text("value", findings).unwrap_or_default(),
                force_string: parameter.flag("forceString", findings).unwrap_or(false),
            })
            .collect()
    });
    let kustomize = field.object("kustomize", findings);
    let plugin = field.object("plugin", findings).map(|plugin| {
        let env = plugin.objects("env", findings);
        env.iter()
            .map(|variable| EnvVar {
                name: variable.text("name", findings).unwrap_or_default(),
                value: variable.text("value", findings).unwrap_or_default(),
            })
            .collect()
    });
    Source {
        helm,
        kustomize: kustomize.map(|block| block.texts("images", findings).unwrap_or_default()),
        plugin,
        path: field.text("path", findings),
        chart: field.text("chart", findings),
    }
}

fn status(root: &Field<'_>, findings: &mut Findings) -> Option<ApplicationStatus> {
    let status = root.object("status", findings)?;
    let summary = status.object("summary", findings);
    let types = status.texts("sourceTypes", findings).unwrap_or_default();
    Some(ApplicationStatus {
        source_type: status
            .text("sourceType", findings)
            .map(|name| source_type(&name)),
        source_types: types.iter().map(|name| source_type(name)).collect(),
        images: summary.and_then(|summary| summary.texts("images", findings)),
    })
}

fn source_type(name: &str) -> SourceType {
    match name {
        "Helm" => SourceType::Helm,
        "Kustomize" => SourceType::Kustomize,
        "Plugin" => SourceType::Plugin,
        _ => SourceType::Directory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resources::application::SourcePlace;
    use serde_json::json;

    fn application(spec: &Value) -> Value {
        json!({"metadata": {"name": "shop"}, "spec": spec})
    }

    fn good(object: &Value) -> Application {
        let (application, findings) = read(object, "argocd");
        application.unwrap_or_else(|| panic!("{findings:?}"))
    }

    fn errors(object: &Value) -> Vec<String> {
        let (application, findings) = read(object, "argocd");
        assert_eq!(application, None);
        findings.errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_is_used_is_read_and_the_rest_may_be_anything() {
        let read = good(&json!({
            "metadata": {
                "name": "shop", "namespace": "team-a", "labels": {"tier": "web"},
                "annotations": {"note": "x"}, "finalizers": 7,
            },
            "spec": {
                "project": 5,
                "source": {
                    "path": "charts/shop",
                    "helm": {"parameters": [{"name": "image.tag", "value": "1.2", "forceString": true}, {"name": "n"}], "values": 1},
                    "kustomize": {"images": ["nginx:1.27"], "namePrefix": []},
                    "plugin": {"env": [{"name": "TAG", "value": "1"}]},
                },
            },
            "status": {"sourceType": "Kustomize", "summary": {"images": ["nginx:1.26"]}, "health": {}},
        }));
        assert_eq!(read.id.to_string(), "team-a/shop");
        assert_eq!(read.labels.get("tier"), Some("web"));
        let source = read.sources.at(SourcePlace::Single).unwrap();
        let parameters = source.helm.as_ref().unwrap();
        assert!(parameters[0].force_string && parameters[0].value == "1.2");
        assert_eq!(parameters[1].value, "");
        assert_eq!(source.kustomize, Some(vec!["nginx:1.27".to_owned()]));
        assert_eq!(source.plugin.as_ref().unwrap()[0].name, "TAG");
        assert_eq!(source.path.as_deref(), Some("charts/shop"));
        let status = read.status.unwrap();
        assert_eq!(status.source_type, Some(SourceType::Kustomize));
        assert_eq!(status.images, Some(vec!["nginx:1.26".to_owned()]));
    }

    #[test]
    fn a_status_may_say_nothing_of_images() {
        for (status, images) in [
            (json!({}), None),
            (json!({"sourceType": "Helm"}), None),
            (json!({"summary": {}}), None),
            (json!({"summary": {"images": []}}), Some(Vec::new())),
        ] {
            let mut object = application(&json!({"source": {}}));
            object["status"] = status.clone();
            let read = good(&object).status.unwrap();
            assert_eq!(read.images, images, "{status}");
            let source_type = status.get("sourceType").map(|_| SourceType::Helm);
            assert_eq!(read.source_type, source_type);
        }
    }

    #[test]
    fn an_empty_block_is_not_an_absent_one() {
        let read = good(&application(
            &json!({"source": {"helm": {}, "kustomize": null}}),
        ));
        let source = read.sources.at(SourcePlace::Single).unwrap();
        assert_eq!(source.helm, Some(Vec::new()));
        assert_eq!(source.kustomize, None);
    }

    #[test]
    fn a_hydrator_goes_before_sources_and_those_before_a_source() {
        let source = json!({"path": "one"});
        let both = json!({"source": source, "sources": [{"path": "two"}, {}]});
        assert!(
            matches!(good(&application(&both)).sources, Sources::Multiple(list) if list.len() == 2)
        );
        let none = json!({"source": source, "sources": []});
        assert!(matches!(
            good(&application(&none)).sources,
            Sources::Single(_)
        ));
        let hydrator = json!({"source": source, "sourceHydrator": {"drySource": {"path": "dry"}}});
        assert!(
            matches!(good(&application(&hydrator)).sources, Sources::Hydrator(dry) if dry.path.as_deref() == Some("dry"))
        );
    }

    #[test]
    fn every_wrong_field_that_is_used_is_named() {
        let object = json!({
            "metadata": {"labels": {"n": 1}},
            "spec": {"sources": [{"helm": {"parameters": [{"name": "tag", "value": 1.1}]}}, {"kustomize": {"images": "nginx"}}]},
        });
        assert_eq!(
            errors(&object),
            [
                "metadata.name is missing",
                "metadata.labels.n must be a string: put it in quotes",
                "spec.sources[0].helm.parameters[0].value must be a string: put it in quotes",
                "spec.sources[1].kustomize.images must be a list",
            ]
        );
    }

    #[test]
    fn an_application_without_a_source_is_none() {
        for (spec, error) in [
            (json!(null), "spec is missing"),
            (json!([]), "spec must be a mapping"),
            (
                json!({}),
                "spec has no source: give source, sources or sourceHydrator",
            ),
            (json!({"source": "x"}), "spec.source must be a mapping"),
            (
                json!({"sourceHydrator": {}}),
                "spec.sourceHydrator.drySource is missing",
            ),
        ] {
            assert_eq!(errors(&application(&spec)), [error]);
        }
    }

    #[test]
    fn names_that_kubernetes_does_not_take_are_refused() {
        for name in ["", "Shop", "{{ .Values.name }}", "-a", "a..b", "a/b"] {
            let object = json!({"metadata": {"name": name}, "spec": {"source": {}}});
            assert!(errors(&object)[0].starts_with("metadata.name is"), "{name}");
        }
        let object =
            json!({"metadata": {"name": "a.b", "namespace": "x.y"}, "spec": {"source": {}}});
        assert!(errors(&object)[0].starts_with("metadata.namespace is"));
        assert_eq!(errors(&json!(3)).len(), 2);
    }
}
