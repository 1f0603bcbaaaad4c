//! What is decided is written, and nothing else.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use image_updater::adapters::kubernetes::scope::Scope;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::resource::ResourceId;
use image_updater::ports::resource_reader::ResourceReader as _;
use image_updater::ports::update_trigger::TriggerError;
use image_updater::ports::update_trigger::UpdateTrigger as _;
use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::Value;
use serde_json::json;

use crate::reading::Reading;
use crate::support::ApiServer;
use crate::support::Proxy;
use crate::support::World;

/// A namespace, whose requests are counted, and what is known of it.
struct Writing {
    world: World,
    proxy: Proxy,
    reading: Reading,
}

impl Writing {
    /// Of Applications with these names and `spec`s; `None` where there is no API server.
    async fn of(applications: &[(&str, Value)]) -> Option<Self> {
        let (_, world) = World::new().await?;
        for (name, spec) in applications {
            world.application(name, spec.clone()).await;
        }
        let proxy = Proxy::of(world.client.clone()).await;
        let scope = Scope::Namespaces(vec![world.namespace.clone()]);
        let reading = Reading::on(proxy.config(), scope);
        reading.resources.synced().await;
        proxy.requests();
        Some(Self {
            world,
            proxy,
            reading,
        })
    }

    /// From now on nothing is known of what others write.
    fn look_away(&self) {
        self.reading.stop();
    }

    async fn apply(
        &self,
        name: &str,
        place: SourcePlace,
        edits: &[Edit],
    ) -> Result<(), TriggerError> {
        let change = self.change(name, place, edits);
        let mut results = self.reading.resources.apply(&[change]).await;
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    fn change(&self, name: &str, source: SourcePlace, edits: &[Edit]) -> ApplicationChange {
        ApplicationChange {
            application: self.id(name),
            source,
            edits: edits.to_vec(),
            images: Vec::new(),
        }
    }

    fn id(&self, name: &str) -> ResourceId {
        ResourceId {
            namespace: self.world.namespace.clone(),
            name: name.to_owned(),
        }
    }

    /// Writes as somebody else does, where the tests of a JSON Patch hold.
    async fn patch(&self, name: &str, operations: Value) {
        let patch = Patch::Json::<()>(serde_json::from_value(operations).unwrap());
        let all = self.world.applications();
        let how = PatchParams::default();
        all.patch(name, &how, &patch).await.unwrap();
    }

    async fn spec(&self, name: &str) -> Value {
        self.world.read(name).await["spec"].clone()
    }
}

fn helm(name: &str, expected: Option<&str>, value: &str) -> Edit {
    Edit::HelmParameter {
        name: name.to_owned(),
        expected: expected.map(str::to_owned),
        value: value.to_owned(),
    }
}

fn kustomize(expected: Option<&str>, value: &str) -> Edit {
    Edit::KustomizeImage {
        expected: expected.map(str::to_owned),
        value: value.to_owned(),
    }
}

fn plugin(name: &str, expected: Option<&str>, value: &str) -> Edit {
    Edit::PluginEnv {
        name: name.to_owned(),
        expected: expected.map(str::to_owned),
        value: value.to_owned(),
    }
}

/// A source with these blocks.
fn source(blocks: &Value) -> Value {
    let mut source = json!({"repoURL": "https://example.com/shop.git", "path": "shop", "targetRevision": "main"});
    let members = blocks.as_object().unwrap().clone();
    source.as_object_mut().unwrap().extend(members);
    source
}

/// A `spec` with a source in a place.
fn spec(place: SourcePlace, source: &Value) -> Value {
    let other = json!({"repoURL": "https://example.com/other.git", "path": "shop"});
    match place {
        SourcePlace::Single => json!({"source": source}),
        SourcePlace::Multiple(_) => json!({"sources": [other, source]}),
        SourcePlace::Hydrator => json!({"sourceHydrator": {
            "drySource": source,
            "syncSource": {"targetBranch": "hydrated", "path": "shop"},
        }}),
    }
}

const PLACES: [(SourcePlace, &str); 3] = [
    (SourcePlace::Single, "/source"),
    (SourcePlace::Multiple(1), "/sources/1"),
    (SourcePlace::Hydrator, "/sourceHydrator/drySource"),
];

/// Makes edits in every place where a source can stand, and looks at what became of its blocks, and that nothing else became of anything.
async fn becomes(before: Value, edits: &[Edit], expected: Value) {
    let names = ["single", "multiple", "hydrator"];
    let specs = PLACES.map(|(place, _)| spec(place, &source(&before)));
    let applications: Vec<_> = names.into_iter().zip(specs).collect();
    let Some(writing) = Writing::of(&applications).await else {
        return;
    };
    for (name, (place, path)) in names.into_iter().zip(PLACES) {
        let mut object = writing.spec(name).await;
        writing.apply(name, place, edits).await.unwrap();
        assert_eq!(writing.proxy.requests(), ["PATCH 200"], "{name}");
        *object.pointer_mut(path).unwrap() = source(&expected);
        assert_eq!(writing.spec(name).await, object, "{name}");
    }
}

#[tokio::test]
async fn values_are_replaced_in_place() {
    let blocks = json!({
        "helm": {"releaseName": "shop", "parameters": [
            {"name": "a", "value": "1"}, {"name": "tag", "value": "1.2"}, {"name": "forced", "value": "7", "forceString": true},
        ]},
        "kustomize": {"namePrefix": "x-", "images": ["redis:7", "web=nginx:1"]},
        "plugin": {"name": "p", "env": [{"name": "A", "value": "1"}, {"name": "TAG", "value": "1"}]},
    });
    let edits = [
        helm("tag", Some("1.2"), "20240101"),
        helm("forced", Some("7"), "8"),
        helm("a", Some("1"), "v1"),
        kustomize(Some("web=nginx:1"), "web=nginx:2"),
        plugin("TAG", Some("1"), "2"),
    ];
    let expected = json!({
        "helm": {"releaseName": "shop", "parameters": [
            {"name": "a", "value": "v1"}, {"name": "tag", "value": "20240101", "forceString": true},
            {"name": "forced", "value": "8", "forceString": true},
        ]},
        "kustomize": {"namePrefix": "x-", "images": ["redis:7", "web=nginx:2"]},
        "plugin": {"name": "p", "env": [{"name": "A", "value": "1"}, {"name": "TAG", "value": "2"}]},
    });
    becomes(blocks, &edits, expected).await;
}

fn new_values() -> [Edit; 5] {
    [
        helm("image.name", None, "nginx"),
        helm("image.tag", None, "1.27"),
        kustomize(None, "nginx:1.27"),
        kustomize(None, "redis:7"),
        plugin("TAG", None, "1.27"),
    ]
}

const NEW_PARAMETERS: &str = r#"[{"name": "image.name", "value": "nginx", "forceString": true},
    {"name": "image.tag", "value": "1.27", "forceString": true}]"#;

#[tokio::test]
async fn new_values_are_put_behind_those_that_are_there() {
    let blocks = json!({
        "helm": {"parameters": [{"name": "a", "value": "1"}]},
        "kustomize": {"images": ["mysql:8"]},
        "plugin": {"env": [{"name": "A", "value": "1"}]},
    });
    let mut parameters = vec![json!({"name": "a", "value": "1"})];
    parameters.extend(serde_json::from_str::<Vec<Value>>(NEW_PARAMETERS).unwrap());
    let expected = json!({
        "helm": {"parameters": parameters},
        "kustomize": {"images": ["mysql:8", "nginx:1.27", "redis:7"]},
        "plugin": {"env": [{"name": "A", "value": "1"}, {"name": "TAG", "value": "1.27"}]},
    });
    becomes(blocks, &new_values(), expected).await;
}

#[tokio::test]
async fn lists_that_are_missing_are_made() {
    let blocks = json!({
        "helm": {"releaseName": "shop"}, "kustomize": {"namePrefix": "x-"}, "plugin": {"name": "p"},
    });
    let parameters: Value = serde_json::from_str(NEW_PARAMETERS).unwrap();
    let expected = json!({
        "helm": {"releaseName": "shop", "parameters": parameters},
        "kustomize": {"namePrefix": "x-", "images": ["nginx:1.27", "redis:7"]},
        "plugin": {"name": "p", "env": [{"name": "TAG", "value": "1.27"}]},
    });
    becomes(blocks, &new_values(), expected).await;
}

#[tokio::test]
async fn blocks_that_are_missing_are_made() {
    let parameters: Value = serde_json::from_str(NEW_PARAMETERS).unwrap();
    let expected = json!({
        "helm": {"parameters": parameters},
        "kustomize": {"images": ["nginx:1.27", "redis:7"]},
        "plugin": {"env": [{"name": "TAG", "value": "1.27"}]},
    });
    becomes(json!({}), &new_values(), expected).await;
}

/// Argo CD leaves out what is empty; people need not.
#[tokio::test]
async fn the_same_written_in_another_way_is_changed_too() {
    let blocks = json!({
        "helm": {"parameters": [{"name": "tag", "value": "", "forceString": false}]},
        "kustomize": {"images": []},
    });
    let object = spec(SourcePlace::Single, &source(&blocks));
    let Some(writing) = Writing::of(&[("shop", object)]).await else {
        return;
    };
    let edits = [helm("tag", Some(""), "2"), kustomize(None, "nginx:2")];
    writing
        .apply("shop", SourcePlace::Single, &edits)
        .await
        .unwrap();
    assert_eq!(
        writing.proxy.requests(),
        ["PATCH 422", "GET 200", "PATCH 200"]
    );
    let expected = json!({
        "helm": {"parameters": [{"name": "tag", "value": "2", "forceString": true}]},
        "kustomize": {"images": ["nginx:2"]},
    });
    assert_eq!(writing.spec("shop").await["source"], source(&expected));
}

fn tagged(tag: &str) -> Value {
    let blocks = json!({"helm": {"parameters": [
        {"name": "tag", "value": tag}, {"name": "theirs", "value": "0"},
    ]}});
    spec(SourcePlace::Single, &source(&blocks))
}

/// Both writers would notice at once that a value of theirs was reverted, since they test it.
#[tokio::test]
async fn what_others_write_meanwhile_stays_and_is_no_conflict() {
    let Some(writing) = Writing::of(&[("shop", tagged("v0"))]).await else {
        return;
    };
    let ends = AtomicBool::new(false);
    let person = async {
        let mut count = 0;
        while !ends.load(Ordering::Relaxed) {
            let next = count + 1;
            let theirs = "/spec/source/helm/parameters/1/value";
            let operations = json!([
                {"op": "test", "path": theirs, "value": count.to_string()},
                {"op": "replace", "path": theirs, "value": next.to_string()},
                {"op": "add", "path": "/spec/source/targetRevision", "value": format!("r{next}")},
            ]);
            writing.patch("shop", operations).await;
            count = next;
        }
        count
    };
    let argo_cd = async {
        let mut count = 0;
        while !ends.load(Ordering::Relaxed) {
            let images = json!([format!("nginx:{count}")]);
            writing
                .world
                .status("shop", json!({"summary": {"images": images}}))
                .await;
            count += 1;
        }
        count
    };
    let ours = async {
        for number in 0..100 {
            let (old, new) = (format!("v{number}"), format!("v{}", number + 1));
            let edits = [helm("tag", Some(&old), &new)];
            writing
                .apply("shop", SourcePlace::Single, &edits)
                .await
                .unwrap();
        }
        ends.store(true, Ordering::Relaxed);
    };
    let (theirs, statuses, ()) = tokio::join!(person, argo_cd, ours);
    assert!(theirs > 1 && statuses > 1);
    assert_eq!(writing.proxy.requests(), ["PATCH 200"; 100]);
    let object = writing.spec("shop").await;
    let parameters = &object["source"]["helm"]["parameters"];
    assert_eq!(parameters[0], json!({"name": "tag", "value": "v100"}));
    assert_eq!(parameters[1]["value"], theirs.to_string());
    assert_eq!(object["source"]["targetRevision"], format!("r{theirs}"));
}

#[tokio::test]
async fn a_change_costs_one_request_however_many_there_are() {
    let names: Vec<String> = (0..40).map(|number| format!("shop-{number}")).collect();
    let applications: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), tagged("v1")))
        .collect();
    let Some(writing) = Writing::of(&applications).await else {
        return;
    };
    let edit = helm("tag", Some("v1"), "v2");
    let change =
        |name: &String| writing.change(name, SourcePlace::Single, std::slice::from_ref(&edit));
    let changes: Vec<_> = names.iter().map(change).collect();
    let resources = &writing.reading.resources;
    assert_eq!(resources.apply(&changes).await, vec![Ok(()); 40]);
    assert_eq!(writing.proxy.requests(), ["PATCH 200"; 40]);
    let current = resources.current();
    let made = |change: &ApplicationChange| {
        let mut applications = current.applications.iter();
        let application = applications.find(|one| one.id == change.application);
        application.is_some_and(|application| change.is_made_in(application))
    };
    assert!(
        changes.iter().all(made),
        "what was written is known at once"
    );
}

#[tokio::test]
async fn a_value_that_somebody_else_changed_is_decided_on_again() {
    let Some(writing) = Writing::of(&[("shop", tagged("v1"))]).await else {
        return;
    };
    writing.look_away();
    let parameters = json!([{"name": "tag", "value": "mine"}, {"name": "theirs", "value": "0"}]);
    let theirs = json!({"spec": {"source": {"helm": {"parameters": parameters}}}});
    writing.world.merge("shop", theirs).await;
    let edit = |expected: &str| [helm("tag", Some(expected), "v2")];
    let error = writing
        .apply("shop", SourcePlace::Single, &edit("v1"))
        .await;
    let reason = r#"tag is "mine", where "v1" was expected"#.to_owned();
    assert_eq!(error, Err(TriggerError::Moved { reason }));
    assert_eq!(writing.proxy.requests(), ["PATCH 422", "GET 200"]);
    assert_eq!(
        writing.spec("shop").await["source"]["helm"]["parameters"],
        parameters
    );
    // The next decision knows it.
    writing
        .apply("shop", SourcePlace::Single, &edit("mine"))
        .await
        .unwrap();
    assert_eq!(writing.proxy.requests(), ["PATCH 200"]);
}

#[tokio::test]
async fn somebody_else_may_put_in_the_same_or_something_else() {
    let images = |images: &[&str]| {
        let blocks = json!({"kustomize": {"images": images}});
        spec(SourcePlace::Single, &source(&blocks))
    };
    let before = || images(&["mysql:8"]);
    let Some(writing) = Writing::of(&[("same", before()), ("other", before())]).await else {
        return;
    };
    writing.look_away();
    for (name, image) in [("same", "nginx:1.26"), ("other", "redis:7")] {
        let put = json!([{"op": "add", "path": "/spec/source/kustomize/images/-", "value": image}]);
        writing.patch(name, put).await;
    }
    let edits = [kustomize(None, "nginx:1.27")];
    let same = writing.apply("same", SourcePlace::Single, &edits).await;
    assert!(matches!(same, Err(TriggerError::Moved { .. })), "{same:?}");
    writing
        .apply("other", SourcePlace::Single, &edits)
        .await
        .unwrap();
    let now = writing.spec("other").await;
    let expected = json!(["mysql:8", "redis:7", "nginx:1.27"]);
    assert_eq!(now["source"]["kustomize"]["images"], expected);
}

#[tokio::test]
async fn another_source_in_the_place_of_the_one_that_was_decided_on_is_left_alone() {
    let of = |path: &str| json!({"repoURL": "https://example.com/x.git", "path": path, "kustomize": {"images": ["nginx:1"]}});
    let both = json!({"sources": [of("a"), of("b")]});
    let Some(writing) = Writing::of(&[("shop", both)]).await else {
        return;
    };
    writing.look_away();
    let swapped = json!({"spec": {"sources": [of("b"), of("a")]}});
    writing.world.merge("shop", swapped.clone()).await;
    let edits = [kustomize(Some("nginx:1"), "nginx:2")];
    let moved = writing
        .apply("shop", SourcePlace::Multiple(0), &edits)
        .await;
    let reason = "spec.sources[0] is another source by now".to_owned();
    assert_eq!(moved, Err(TriggerError::Moved { reason }));
    assert_eq!(
        writing.spec("shop").await["sources"],
        swapped["spec"]["sources"]
    );
}

#[tokio::test]
async fn an_application_that_is_gone_is_gone() {
    let Some(writing) = Writing::of(&[("shop", tagged("v1"))]).await else {
        return;
    };
    writing.look_away();
    writing.world.delete("shop").await;
    let edits = [helm("tag", Some("v1"), "v2")];
    let gone = writing.apply("shop", SourcePlace::Single, &edits).await;
    assert_eq!(gone, Err(TriggerError::Gone));
}

#[tokio::test]
async fn a_patch_whose_answer_is_lost_is_found_to_be_made() {
    let Some(writing) = Writing::of(&[("shop", tagged("v1"))]).await else {
        return;
    };
    writing.look_away();
    let to = |old: &str, new: &str| [helm("tag", Some(old), new)];
    let apply = async |edits: [Edit; 1]| writing.apply("shop", SourcePlace::Single, &edits).await;
    writing.proxy.lose(["PATCH"]);
    apply(to("v1", "v2")).await.unwrap();
    assert_eq!(writing.proxy.requests(), ["PATCH 200", "GET 200"]);
    // Where nothing can be asked, it is decided on again later, and then it is seen. Nothing else is tried meanwhile.
    writing.proxy.lose(["PATCH", "GET"]);
    let change = |edits: [Edit; 1]| writing.change("shop", SourcePlace::Single, &edits);
    let changes = [
        change(to("v2", "v3")),
        change([helm("theirs", Some("0"), "1")]),
    ];
    let lost = writing.reading.resources.apply(&changes).await;
    let is_unavailable = |result: &_| matches!(result, Err(TriggerError::Unavailable { .. }));
    assert!(lost.iter().all(is_unavailable), "{lost:?}");
    assert_eq!(writing.proxy.requests(), ["PATCH 200", "GET 200"]);
    let again = apply(to("v2", "v3")).await;
    assert!(
        matches!(again, Err(TriggerError::Moved { .. })),
        "{again:?}"
    );
    assert_eq!(writing.proxy.requests(), ["PATCH 422", "GET 200"]);
    let known = writing.reading.resources.application(&writing.id("shop"));
    let made = writing.change("shop", SourcePlace::Single, &to("v2", "v3"));
    assert!(made.is_made_in(&known.unwrap().object));
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    world.application("shop", tagged("v1")).await;
    let namespace = world.namespace.clone();
    let reader = may_read(server, &world).await;
    let scope = Scope::Namespaces(vec![namespace.clone()]);
    let reading = Reading::by(server, &reader, &namespace, scope).await;
    reading.resources.synced().await;
    let change = ApplicationChange {
        application: ResourceId {
            namespace,
            name: "shop".to_owned(),
        },
        source: SourcePlace::Single,
        edits: vec![helm("tag", Some("v1"), "v2")],
        images: Vec::new(),
    };
    let results = reading.resources.apply(&[change]).await;
    // It may be granted in a moment, so that it is tried again.
    let [Err(TriggerError::Unavailable { reason })] = &results[..] else {
        panic!("{results:?}");
    };
    assert!(
        reason.contains(r#"cannot patch resource "applications" in API group "argoproj.io""#),
        "{reason}"
    );
}

/// The token of an account that may read everything of a namespace and write nothing.
async fn may_read(server: &ApiServer, world: &World) -> String {
    let token = world.token("reader").await;
    let namespace = &world.namespace;
    let roles = format!(
        r"apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: {namespace}}}
rules:
- apiGroups: [argoproj.io, argocd-image-updater.argoproj.io]
  resources: [applications, imageupdaters]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects: [{{kind: ServiceAccount, name: reader, namespace: {namespace}}}]
"
    );
    server.kubectl(&["apply", "-f", "-"], &roles).unwrap();
    token
}

/// The API server has one code for a patch that cannot be applied and for an object that is not allowed.
#[tokio::test]
async fn what_the_server_does_not_allow_is_refused() {
    let Some((server, _)) = World::new().await else {
        return;
    };
    let Some(writing) = Writing::of(&[("shop", tagged("v1"))]).await else {
        return;
    };
    let namespace = &writing.world.namespace;
    let policy = format!(
        r#"apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: no-v2-{namespace}}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: [argoproj.io], apiVersions: [v1alpha1], operations: [UPDATE], resources: [applications]}}
  validations:
  - expression: "object.spec.source.helm.parameters[0].value != 'v2'"
    message: v2 is not wanted here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: no-v2-{namespace}}}
spec:
  policyName: no-v2-{namespace}
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
"#
    );
    server.kubectl(&["apply", "-f", "-"], &policy).unwrap();
    // A policy takes a moment to be in force.
    let reason = crate::support::eventually("refused", async || {
        let edits = [helm("tag", Some("v1"), "v2")];
        match writing.apply("shop", SourcePlace::Single, &edits).await {
            Err(TriggerError::Refused { reason }) => Some(reason),
            Ok(()) => {
                let back = [helm("tag", Some("v2"), "v1")];
                writing
                    .apply("shop", SourcePlace::Single, &back)
                    .await
                    .unwrap();
                None
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert!(reason.contains("v2 is not wanted here"), "{reason}");
}
