//! Descriptions, as they are seen and taken up.

use std::sync::Mutex;

use super::*;
use crate::domain::registry::endpoint::Endpoint;
use crate::ports::announcer::MockAnnouncer;
use crate::ports::registries_source::MockRegistriesSource;

type Told = Arc<Mutex<Vec<String>>>;

fn described(name: &str) -> Reading {
    Reading {
        place: Some("file".to_owned()),
        outcome: Ok(Description {
            registries: Registries::of(vec![Endpoint {
                name: name.to_owned(),
                prefix: "a.example".to_owned(),
                ..Endpoint::bare()
            }]),
            warnings: Vec::new(),
        }),
    }
}

fn broken(mistakes: &[&str]) -> Reading {
    Reading {
        place: Some("file".to_owned()),
        outcome: Err(mistakes.iter().map(|one| (*one).to_owned()).collect()),
    }
}

/// Starts from a description; what events tell is kept.
fn start(reading: Reading) -> (LiveRegistries, Told) {
    let mut source = MockRegistriesSource::new();
    source.expect_read().return_once(move || reading);
    let told = Told::default();
    let note = Arc::clone(&told);
    let mut announcer = MockAnnouncer::new();
    announcer.expect_announce().returning(move |announcement| {
        note.lock().unwrap().push(announcement.message.clone());
        Ok(())
    });
    let config_map = ResourceId {
        namespace: "argocd".to_owned(),
        name: "ours".to_owned(),
    };
    let teller: Teller = Some((Arc::new(announcer), config_map));
    let live = LiveRegistries::start(Arc::new(source), teller);
    (live.unwrap_or_else(|reading| panic!("{reading:?}")), told)
}

fn first(current: &Current) -> String {
    current.borrow().all()[0].name.clone()
}

#[test]
fn a_start_with_mistakes_is_none_and_they_are_told_with_their_place() {
    let mut source = MockRegistriesSource::new();
    source.expect_read().return_once(|| broken(&["one", "two"]));
    let refused = LiveRegistries::start(Arc::new(source), None).err().unwrap();
    assert_eq!(problems(&refused), ["file: one", "file: two"]);
    assert_eq!(problems(&described("a")), [""; 0]);
}

#[tokio::test]
async fn a_change_counts_when_it_is_seen_twice_running() {
    let (mut live, _) = start(described("a"));
    let mut current = live.current();
    for name in ["b", "a", "b", "c"] {
        live.look(described(name));
        assert_eq!(first(&current), "a", "{name}");
    }
    assert!(!current.has_changed().unwrap());
    live.look(described("c"));
    assert!(current.has_changed().unwrap());
    assert_eq!(first(&current), "c");
    current.mark_unchanged();

    let elsewhere = Reading {
        place: Some("object".to_owned()),
        ..described("c")
    };
    live.look(elsewhere.clone());
    live.look(elsewhere);
    assert!(!current.has_changed().unwrap(), "nothing is other");

    live.look(Reading::of_nothing());
    live.look(Reading::of_nothing());
    assert_eq!(first(&current), "Docker Hub");
}

#[tokio::test]
async fn a_broken_change_leaves_everything_as_it_is_and_is_told_once() {
    let (mut live, told) = start(described("a"));
    let current = live.current();
    for _ in 0..4 {
        live.look(broken(&["line 1: x", "line 2: y"]));
    }
    while live.telling.join_next().await.is_some() {}
    assert_eq!(first(&current), "a");
    assert_eq!(*told.lock().unwrap(), ["file: line 1: x; line 2: y"]);
    live.look(described("b"));
    live.look(described("b"));
    assert_eq!(first(&current), "b");
}

#[tokio::test(start_paused = true)]
async fn a_change_counts_within_two_seconds() {
    let mut source = MockRegistriesSource::new();
    let mut readings = [described("a"), described("a")].into_iter();
    source
        .expect_read()
        .returning(move || readings.next().unwrap_or_else(|| described("b")));
    let live = LiveRegistries::start(Arc::new(source), None);
    let live = live.unwrap_or_else(|reading| panic!("{reading:?}"));
    let mut current = live.current();
    let running = tokio::spawn(live.run());
    let changed = tokio::time::timeout(Duration::from_secs(2), current.changed()).await;
    assert!(changed.is_ok());
    assert_eq!(first(&current), "b");
    running.abort();
}
