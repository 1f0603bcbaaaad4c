use serde_json::Value;
use serde_json::json;

use super::*;

fn application(version: u64, tag: &str) -> SlimObject<Application> {
    named("team", "shop", version, tag)
}

fn named(namespace: &str, name: &str, version: u64, tag: &str) -> SlimObject<Application> {
    slim(json!({
        "metadata": {"namespace": namespace, "name": name, "uid": "u", "resourceVersion": version.to_string()},
        "spec": {"source": {"kustomize": {"images": [format!("nginx:{tag}")]}}},
    }))
}

fn slim<T: Kind>(object: Value) -> SlimObject<T> {
    serde_json::from_value(object).unwrap()
}

fn store(namespaces: &[Option<&str>]) -> Store {
    let store = Store::new();
    let namespaces: Vec<_> = namespaces
        .iter()
        .map(|one| one.map(str::to_owned))
        .collect();
    store.open(&namespaces);
    store
}

fn list(store: &Store, namespace: Option<&str>, objects: Vec<SlimObject<Application>>) {
    store.take::<Application>(namespace, Event::Init);
    for object in objects {
        store.take(namespace, Event::InitApply(object));
    }
    store.take::<Application>(namespace, Event::InitDone);
}

fn no_updaters(store: &Store, namespace: Option<&str>) {
    store.take::<ImageUpdater>(namespace, Event::Init);
    store.take::<ImageUpdater>(namespace, Event::InitDone);
}

/// A store of the whole cluster, in which all of these were listed.
fn synced(objects: Vec<SlimObject<Application>>) -> Store {
    let store = store(&[None]);
    no_updaters(&store, None);
    list(&store, None, objects);
    store
}

/// The Applications with their images, in order.
fn known(store: &Store) -> Vec<String> {
    let shown = |one: &Arc<Application>| {
        let source = one
            .sources
            .at(crate::domain::resources::application::SourcePlace::Single);
        let images = source.unwrap().kustomize.clone().unwrap();
        format!("{} {}", one.id, images.join(","))
    };
    store.resources().applications.iter().map(shown).collect()
}

#[test]
fn objects_come_change_and_go() {
    let store = synced(vec![named("team", "b", 1, "1"), named("team", "a", 2, "1")]);
    assert_eq!(known(&store), ["team/a nginx:1", "team/b nginx:1"]);
    store.take(None, Event::Apply(named("x", "c", 3, "1")));
    store.take(None, Event::Apply(named("team", "a", 4, "2")));
    store.take(None, Event::Delete(named("team", "b", 5, "1")));
    assert_eq!(known(&store), ["team/a nginx:2", "x/c nginx:1"]);
}

#[test]
fn what_is_not_read_costs_no_new_snapshot_and_tells_nobody() {
    let store = synced(vec![application(1, "1")]);
    let before = store.resources();
    let mut hears = store.subscribe();
    store.take(None, Event::Apply(application(2, "1")));
    list(&store, None, vec![application(3, "1")]);
    assert!(Arc::ptr_eq(&store.resources(), &before));
    assert!(!hears.has_changed().unwrap());
    let id = application(1, "1").id();
    assert_eq!(store.get::<Application>(&id).unwrap().resource_version, "3");
    store.take(None, Event::Apply(application(4, "2")));
    assert!(hears.has_changed().unwrap());
    hears.mark_unchanged();
}

#[test]
fn an_object_that_stays_keeps_its_place_in_memory() {
    let store = synced(vec![named("team", "a", 1, "1"), named("team", "b", 1, "1")]);
    let before = store.resources();
    list(
        &store,
        None,
        vec![named("team", "a", 2, "2"), named("team", "b", 3, "1")],
    );
    let after = store.resources();
    assert!(!Arc::ptr_eq(
        &before.applications[0],
        &after.applications[0]
    ));
    assert!(Arc::ptr_eq(&before.applications[1], &after.applications[1]));
}

#[test]
fn a_list_counts_when_it_is_complete() {
    let store = synced(vec![application(1, "1")]);
    store.take::<Application>(None, Event::Init);
    store.take(None, Event::InitApply(named("team", "new", 2, "1")));
    assert_eq!(known(&store), ["team/shop nginx:1"]);
    store.take::<Application>(None, Event::InitDone);
    assert_eq!(known(&store), ["team/new nginx:1"]);
    // A list that was broken off is forgotten.
    store.take::<Application>(None, Event::Init);
    store.take(None, Event::InitApply(named("team", "half", 3, "1")));
    store.lose::<Application>(None);
    list(&store, None, vec![application(4, "4")]);
    assert_eq!(known(&store), ["team/shop nginx:4"]);
}

#[test]
fn it_is_current_between_a_complete_list_and_the_loss_of_a_watch() {
    let store = Store::new();
    let hears = store.subscribe();
    assert!(!store.is_current());
    store.open(&[Some("a".to_owned()), Some("b".to_owned())]);
    no_updaters(&store, Some("a"));
    no_updaters(&store, Some("b"));
    list(&store, Some("a"), Vec::new());
    assert!(!store.is_current());
    list(&store, Some("b"), Vec::new());
    assert!(store.is_current() && *hears.borrow());
    store.lose::<Application>(Some("a"));
    assert!(!store.is_current() && !*hears.borrow());
    store.take::<Application>(Some("a"), Event::Init);
    assert!(!store.is_current());
    store.take::<Application>(Some("a"), Event::InitDone);
    assert!(store.is_current());
}

#[test]
fn a_namespace_that_is_refused_holds_up_no_other() {
    let store = store(&[Some("a"), Some("b")]);
    for namespace in ["a", "b"] {
        no_updaters(&store, Some(namespace));
        list(&store, Some(namespace), vec![named(namespace, "x", 1, "1")]);
    }
    store.lose::<Application>(Some("b"));
    store.refuse::<Application>(Some("b"));
    store.lose::<Application>(Some("b"));
    assert!(store.is_current());
    assert_eq!(known(&store), ["a/x nginx:1"]);
    store.refuse::<Application>(Some("a"));
    assert!(!store.is_current(), "nothing is known of Applications");
    list(&store, Some("b"), vec![named("b", "x", 2, "2")]);
    assert!(store.is_current());
    assert_eq!(known(&store), ["b/x nginx:2"]);
}

#[test]
fn an_answer_to_a_write_is_known_at_once_and_stays() {
    let store = synced(vec![application(1, "1")]);
    store.put(&application(5, "2"));
    assert_eq!(known(&store), ["team/shop nginx:2"]);
    let put = store.resources();
    // The watch tells late of somebody's change before it, and then of the change itself.
    store.take(None, Event::Apply(application(4, "1")));
    store.take(None, Event::Apply(application(5, "2")));
    assert!(Arc::ptr_eq(&store.resources(), &put));
    store.take(None, Event::Apply(application(6, "3")));
    store.put(&application(5, "2"));
    assert_eq!(known(&store), ["team/shop nginx:3"]);
}

#[test]
fn an_answer_to_a_write_outlives_a_list_that_began_before_it() {
    let store = synced(vec![application(1, "1")]);
    store.take::<Application>(None, Event::Init);
    store.take(None, Event::InitApply(application(1, "1")));
    store.put(&application(5, "2"));
    store.take::<Application>(None, Event::InitDone);
    assert_eq!(known(&store), ["team/shop nginx:2"]);
    // A list that began later says how things are, whatever the versions: a cluster that was restored from a backup counts from there.
    list(&store, None, vec![application(3, "0")]);
    assert_eq!(known(&store), ["team/shop nginx:0"]);
}

#[test]
fn what_is_gone_does_not_come_back_by_an_answer() {
    let store = synced(vec![application(1, "1")]);
    store.put(&application(5, "2"));
    store.take(None, Event::Delete(application(4, "1")));
    assert_eq!(known(&store), ["team/shop nginx:2"], "it was made anew");
    store.take(None, Event::Delete(application(6, "2")));
    store.put(&application(5, "2"));
    assert_eq!(known(&store), Vec::<String>::new());
    // Nor by one that comes while a list without it is read.
    store.take::<Application>(None, Event::Init);
    store.put(&application(7, "2"));
    store.take::<Application>(None, Event::InitDone);
    assert_eq!(known(&store), Vec::<String>::new());
}

#[test]
fn an_object_that_is_wrong_is_left_out_until_it_is_right() {
    let store = synced(vec![application(1, "1")]);
    let broken = json!({
        "metadata": {"namespace": "team", "name": "shop", "resourceVersion": "2"},
        "spec": {"source": {"kustomize": {"images": "nginx"}}},
    });
    store.take(None, Event::Apply(slim::<Application>(broken)));
    assert_eq!(known(&store), Vec::<String>::new());
    assert_eq!(store.get::<Application>(&application(1, "1").id()), None);
    store.put(&application(1, "1"));
    assert_eq!(known(&store), Vec::<String>::new(), "it is older");
    store.take(None, Event::Apply(application(3, "1")));
    assert_eq!(known(&store), ["team/shop nginx:1"]);
}

#[test]
fn problems_are_logged_when_they_come_and_when_they_go() {
    let broken = |version: u64| {
        slim::<Application>(json!({
            "metadata": {"namespace": "team", "name": "shop", "resourceVersion": version.to_string()},
            "spec": {},
        }))
    };
    let logged = crate::adapters::kubernetes::testing::logged(|| {
        let store = synced(vec![broken(1)]);
        store.take(None, Event::Apply(broken(2)));
        list(&store, None, vec![broken(3)]);
        store.take(None, Event::Apply(application(4, "1")));
        store.take(None, Event::Apply(broken(5)));
        store.take(None, Event::Delete(broken(6)));
    });
    let levels: Vec<_> = logged
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(levels, ["WARN", "INFO", "WARN", "INFO"], "{logged:#?}");
    assert!(
        logged[0].contains("is left out: spec has no source"),
        "{logged:#?}"
    );
}
