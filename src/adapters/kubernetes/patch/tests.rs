use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::adapters::wire::application;
use crate::domain::change::Edit;

/// Applies a patch as the API server does.
fn applied(patch: &Patch, object: &Value) -> Result<Value, String> {
    let mut object = object.clone();
    for operation in &patch.0 {
        if let PatchOperation::Test(test) = operation
            && test.value.is_null()
            && nothing_is_at(&object, &test.path)
        {
            continue;
        }
        json_patch::patch(&mut object, std::slice::from_ref(operation))
            .map_err(|error| format!("{operation}: {error}"))?;
    }
    Ok(object)
}

/// Whether a member is missing in a mapping that is there.
fn nothing_is_at(object: &Value, path: &PointerBuf) -> bool {
    let parent = path.parent().unwrap();
    let parent = object.pointer(parent.as_str());
    parent.is_some_and(Value::is_object) && object.pointer(path.as_str()).is_none()
}

fn read(object: &Value) -> Application {
    application::read(object, "argocd").0.unwrap()
}

fn with_spec(spec: &Value) -> Value {
    json!({"metadata": {"name": "shop", "namespace": "argocd"}, "spec": spec})
}

fn change(source: SourcePlace, edits: Vec<Edit>) -> ApplicationChange {
    ApplicationChange {
        application: read(&with_spec(&json!({"source": {}}))).id,
        source,
        edits,
        images: Vec::new(),
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

/// The patch as Argo CD's own representation gives it.
fn made(spec: &Value, source: SourcePlace, edits: Vec<Edit>) -> Value {
    let application = read(&with_spec(spec));
    let object = as_argo_cd_writes(&application);
    let patch = patch(&change(source, edits), &application, &object).unwrap();
    serde_json::to_value(patch).unwrap()
}

#[test]
fn a_value_is_tested_and_replaced() {
    let spec = json!({"source": {"path": "a", "helm": {"parameters": [{"name": "x"}, {"name": "tag", "value": "1"}]}}});
    let patch = made(
        &spec,
        SourcePlace::Single,
        vec![helm("tag", Some("1"), "20240101")],
    );
    assert_eq!(
        patch,
        json!([
            {"op": "test", "path": "/spec/source/helm/parameters/1/name", "value": "tag"},
            {"op": "test", "path": "/spec/source/helm/parameters/1/value", "value": "1"},
            {"op": "test", "path": "/spec/sourceHydrator", "value": null},
            {"op": "test", "path": "/spec/sources", "value": null},
            {"op": "add", "path": "/spec/source/helm/parameters/1/value", "value": "20240101"},
            {"op": "add", "path": "/spec/source/helm/parameters/1/forceString", "value": true},
        ])
    );
}

#[test]
fn what_is_put_behind_others_must_come_to_stand_right_behind_them() {
    let spec =
        json!({"sources": [{"chart": "c"}, {"path": "a", "kustomize": {"images": ["nginx:1"]}}]});
    let edits = vec![
        kustomize(Some("nginx:1"), "nginx:2"),
        kustomize(None, "redis:7"),
    ];
    assert_eq!(
        made(&spec, SourcePlace::Multiple(1), edits),
        json!([
            {"op": "test", "path": "/spec/sources/1/kustomize/images/0", "value": "nginx:1"},
            {"op": "test", "path": "/spec/sourceHydrator", "value": null},
            {"op": "test", "path": "/spec/sources/1/path", "value": "a"},
            {"op": "test", "path": "/spec/sources/1/chart", "value": null},
            {"op": "replace", "path": "/spec/sources/1/kustomize/images/0", "value": "nginx:2"},
            {"op": "add", "path": "/spec/sources/1/kustomize/images/-", "value": "redis:7"},
            {"op": "test", "path": "/spec/sources/1/kustomize/images/1", "value": "redis:7"},
        ])
    );
}

#[test]
fn a_block_or_list_that_is_missing_is_made() {
    let block = made(
        &json!({"sourceHydrator": {"drySource": {}}}),
        SourcePlace::Hydrator,
        vec![plugin("TAG", None, "1")],
    );
    let env = json!([{"name": "TAG", "value": "1"}]);
    assert_eq!(
        block,
        json!([
            {"op": "test", "path": "/spec/sourceHydrator/drySource/plugin", "value": null},
            {"op": "add", "path": "/spec/sourceHydrator/drySource/plugin", "value": {"env": env}},
        ])
    );
    let list = made(
        &json!({"sourceHydrator": {"drySource": {"plugin": {"name": "p"}}}}),
        SourcePlace::Hydrator,
        vec![plugin("TAG", None, "1")],
    );
    assert_eq!(
        list,
        json!([
            {"op": "test", "path": "/spec/sourceHydrator/drySource/plugin/env", "value": null},
            {"op": "add", "path": "/spec/sourceHydrator/drySource/plugin/env", "value": env},
        ])
    );
}

#[test]
fn nothing_to_change_is_no_patch() {
    let spec = json!({"source": {"kustomize": {"images": ["nginx:1"]}}});
    let edits = vec![kustomize(Some("nginx:1"), "nginx:1")];
    assert_eq!(made(&spec, SourcePlace::Single, edits), json!([]));
}

/// What somebody else does between the decision and the patch.
#[test]
fn a_patch_fails_where_it_would_write_something_else_than_was_decided() {
    let parameters = |list: Value| json!({"source": {"helm": {"parameters": list}}});
    let one = json!({"name": "tag", "value": "1"});
    let other = json!({"name": "other", "value": "1"});
    for (edit, before, meanwhile) in [
        (helm("tag", Some("1"), "2"), json!([one]), json!([other])),
        (
            helm("tag", Some("1"), "2"),
            json!([one]),
            json!([other, one]),
        ),
        (helm("tag", Some("1"), "2"), json!([one]), json!([])),
        (helm("tag", None, "2"), json!([other]), json!([other, one])),
        (helm("tag", None, "2"), json!([other]), json!([one])),
        (helm("tag", None, "2"), json!([other]), json!([])),
        (helm("tag", None, "2"), json!([]), json!([one])),
    ] {
        let before = with_spec(&parameters(before));
        let meanwhile = with_spec(&parameters(meanwhile));
        let application = read(&before);
        let change = change(SourcePlace::Single, vec![edit]);
        for object in [before, as_argo_cd_writes(&application)] {
            let patch = patch(&change, &application, &object).unwrap();
            let outcome = applied(&patch, &meanwhile);
            assert!(outcome.is_err(), "{change:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_patch_fails_where_another_source_stands_in_its_place() {
    let tag = json!({"parameters": [{"name": "tag", "value": "1"}]});
    for (place, before, meanwhile) in [
        (
            SourcePlace::Single,
            json!({"source": {"helm": tag}}),
            json!({"source": {"helm": tag}, "sources": [{"helm": tag}]}),
        ),
        (
            SourcePlace::Single,
            json!({"source": {"helm": tag}}),
            json!({"source": {"helm": tag}, "sourceHydrator": {"drySource": {}}}),
        ),
        (
            SourcePlace::Multiple(0),
            json!({"sources": [{"path": "a", "helm": tag}, {}]}),
            json!({"sources": [{"path": "b", "helm": tag}, {"path": "a", "helm": tag}]}),
        ),
        (
            SourcePlace::Multiple(0),
            json!({"sources": [{"helm": tag}]}),
            json!({"sources": [{"chart": "c", "helm": tag}]}),
        ),
    ] {
        let application = read(&with_spec(&before));
        let change = change(place, vec![helm("tag", Some("1"), "2")]);
        let object = as_argo_cd_writes(&application);
        let patch = patch(&change, &application, &object).unwrap();
        assert!(applied(&patch, &with_spec(&before)).is_ok());
        assert!(applied(&patch, &with_spec(&meanwhile)).is_err(), "{place}");
    }
}

#[test]
fn fields_that_others_change_meanwhile_do_not_matter() {
    let before = json!({"source": {"path": "a", "helm": {"parameters": [{"name": "tag", "value": "1"}, {"name": "x", "value": "1"}]}}});
    let meanwhile = json!({
        "project": "other",
        "source": {"path": "b", "helm": {"values": "x", "parameters": [
            {"name": "tag", "value": "1", "forceString": true}, {"name": "x", "value": "2"},
        ]}},
    });
    let application = read(&with_spec(&before));
    let edits = vec![helm("tag", Some("1"), "2"), helm("new", None, "3")];
    let change = change(SourcePlace::Single, edits);
    let object = as_argo_cd_writes(&application);
    let patch = patch(&change, &application, &object).unwrap();
    let after = applied(&patch, &with_spec(&meanwhile)).unwrap();
    let mut expected = with_spec(&meanwhile);
    let parameters = &mut expected["spec"]["source"]["helm"]["parameters"];
    parameters[0]["value"] = "2".into();
    let list = parameters.as_array_mut().unwrap();
    list.push(json!({"name": "new", "value": "3", "forceString": true}));
    assert_eq!(after, expected);
}

/// Texts of which some are equal, so that changes meet what is there.
fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b~/", "nginx:1", "web=nginx:2", "20240101"]).prop_map(str::to_owned)
}

/// A member that may be left out, be null or be there.
fn member_json(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Value::Null)),
        6 => value.prop_map(Some),
    ]
}

fn object(members: Vec<(&'static str, Option<Value>)>) -> Value {
    let given = members.into_iter();
    given
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn text_json() -> impl Strategy<Value = Value> {
    text().prop_map(Value::from)
}

fn list_json(entry: impl Strategy<Value = Value>) -> impl Strategy<Value = Option<Value>> {
    member_json(prop::collection::vec(entry, 0..4).prop_map(Value::from))
}

fn parameter_json() -> impl Strategy<Value = Value> {
    let flag = any::<bool>().prop_map(Value::from);
    let members = (
        member_json(text_json()),
        member_json(text_json()),
        member_json(flag),
    );
    members.prop_map(|(name, value, force)| {
        object(vec![
            ("name", name),
            ("value", value),
            ("forceString", force),
            ("other", Some(json!(1))),
        ])
    })
}

fn variable_json() -> impl Strategy<Value = Value> {
    let members = (member_json(text_json()), member_json(text_json()));
    members.prop_map(|(name, value)| object(vec![("name", name), ("value", value)]))
}

fn block_json_of(
    list: &'static str,
    entries: impl Strategy<Value = Option<Value>>,
) -> impl Strategy<Value = Option<Value>> {
    member_json(entries.prop_map(move |entries| {
        object(vec![(list, entries), ("other", Some(json!({"deep": []})))])
    }))
}

fn any_source() -> impl Strategy<Value = Value> {
    let members = (
        block_json_of("parameters", list_json(parameter_json())),
        block_json_of("images", list_json(text_json())),
        block_json_of("env", list_json(variable_json())),
        member_json(text_json()),
        member_json(text_json()),
    );
    members.prop_map(|(helm, kustomize, plugin, path, chart)| {
        object(vec![
            ("helm", helm),
            ("kustomize", kustomize),
            ("plugin", plugin),
            ("path", path),
            ("chart", chart),
            ("repoURL", Some(json!("x"))),
        ])
    })
}

fn any_spec() -> impl Strategy<Value = Value> {
    let hydrator = any_source().prop_map(|source| json!({"sourceHydrator": {"drySource": source}}));
    let single = (any_source(), member_json(Just(json!([]))));
    let single = single
        .prop_map(|(source, sources)| object(vec![("source", Some(source)), ("sources", sources)]));
    let multiple = prop::collection::vec(any_source(), 1..3);
    let multiple = multiple.prop_map(|sources| json!({"sources": sources, "source": {}}));
    prop_oneof![single, multiple, hydrator]
}

fn any_place() -> impl Strategy<Value = SourcePlace> {
    select(vec![
        SourcePlace::Single,
        SourcePlace::Multiple(0),
        SourcePlace::Multiple(1),
        SourcePlace::Hydrator,
    ])
}

/// An edit whose expectation is that of an Application, more often than not.
fn any_edit(application: &Application, place: SourcePlace) -> impl Strategy<Value = Edit> + use<> {
    let source = application.sources.at(place).cloned().unwrap_or_default();
    let parts = (
        0..3_u8,
        text(),
        text(),
        any::<prop::sample::Index>(),
        0..4_u8,
    );
    parts.prop_map(move |(kind, name, value, index, luck)| {
        let other = (luck == 0).then(|| name.clone());
        let pick = |count: usize| (luck > 1 && count > 0).then(|| index.index(count));
        match kind {
            0 => {
                let list = source.helm.clone().unwrap_or_default();
                match pick(list.len()) {
                    Some(at) => helm(&list[at].name, Some(&list[at].value), &value),
                    None => helm(&name, other.as_deref(), &value),
                }
            }
            1 => {
                let list = source.kustomize.clone().unwrap_or_default();
                let there = pick(list.len()).map(|at| list[at].clone());
                kustomize(there.or(other).as_deref(), &value)
            }
            _ => {
                let list = source.plugin.clone().unwrap_or_default();
                match pick(list.len()) {
                    Some(at) => plugin(&list[at].name, Some(&list[at].value), &value),
                    None => plugin(&name, other.as_deref(), &value),
                }
            }
        }
    })
}

/// An object and a change of it.
fn any_case() -> impl Strategy<Value = (Value, ApplicationChange)> {
    (any_spec(), any_place()).prop_flat_map(|(spec, place)| {
        let object = with_spec(&spec);
        let edits = prop::collection::vec(any_edit(&read(&object), place), 1..4);
        edits.prop_map(move |edits| (object.clone(), change(place, edits)))
    })
}

/// Whether a path is one of those that a change may write.
fn is_of_an_image(path: &str) -> bool {
    let known = [
        "helm",
        "helm/parameters",
        "helm/parameters/N",
        "helm/parameters/N/value",
        "helm/parameters/N/forceString",
        "kustomize",
        "kustomize/images",
        "kustomize/images/N",
        "plugin",
        "plugin/env",
        "plugin/env/N",
        "plugin/env/N/value",
    ];
    let sources = [
        "/spec/source/",
        "/spec/sources/N/",
        "/spec/sourceHydrator/drySource/",
    ];
    let is_place = |token: &str| token == "-" || token.parse::<usize>().is_ok();
    let tokens = path.split('/');
    let path: Vec<_> = tokens
        .map(|token| if is_place(token) { "N" } else { token })
        .collect();
    let path = path.join("/");
    let mut rests = sources
        .iter()
        .filter_map(|source| path.strip_prefix(source));
    rests.any(|rest| known.contains(&rest))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// From the object itself the patch does what the domain says, whatever the object looks like.
    #[test]
    fn a_patch_makes_of_the_object_what_the_change_says((object, change) in any_case()) {
        let before = read(&object);
        match (change.applied_to(&before), patch(&change, &before, &object)) {
            (Ok(expected), Ok(patch)) => {
                let after = applied(&patch, &object).map_err(TestCaseError::fail)?;
                prop_assert_eq!(read(&after), expected);
                for operation in &patch.0 {
                    if !matches!(operation, PatchOperation::Test(_)) {
                        prop_assert!(is_of_an_image(operation.path().as_str()), "{}", operation);
                    }
                }
            }
            (expected, patch) => prop_assert_eq!(expected.err(), patch.err()),
        }
    }

    /// From what is known alone it does the same, or fails; it does not fail where Argo CD wrote the object.
    #[test]
    fn what_is_known_is_enough_for_a_patch((object, change) in any_case()) {
        let before = read(&object);
        let known = as_argo_cd_writes(&before);
        let Ok(patch) = patch(&change, &before, &known) else {
            return Ok(());
        };
        let expected = change.applied_to(&before).unwrap();
        if let Ok(after) = applied(&patch, &object) {
            prop_assert_eq!(read(&after), expected.clone());
        }
        let mut written = known;
        written["metadata"] = object["metadata"].clone();
        let after = applied(&patch, &written).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read(&after), expected);
    }
}
