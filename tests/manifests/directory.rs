//! What is read from a directory, and when.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use image_updater::adapters::manifests::reader::Manifests;
use image_updater::adapters::manifests::reader::ManifestsError;
use image_updater::ports::resource_reader::ResourceReader;

use crate::Dir;
use crate::app;
use crate::find;
use crate::images;
use crate::pairs;
use crate::problems;

#[test]
fn every_yaml_file_is_read_and_nothing_else() {
    let dir = Dir::new();
    dir.write("one.yaml", &app("a", "nginx:1"));
    dir.write(
        "deep/er/two.yml",
        &format!("{}---\n{}", app("b", "nginx:1"), app("c", "nginx:1")),
    );
    dir.write(".git/three.yaml", &app("d", "nginx:1"));
    dir.write(".hidden.yaml", &app("e", "nginx:1"));
    dir.write("four.txt", &app("f", "nginx:1"));
    dir.write("five.yaml.tmp", &app("g", "nginx:1"));
    dir.write(
        "chart/templates/x.yaml",
        "{{- if .Values.a }}\nkind: Deployment\n{{- end }}\n",
    );
    let manifests = dir.open();
    let expected = pairs(&[("a", "nginx:1"), ("b", "nginx:1"), ("c", "nginx:1")]);
    assert_eq!(images(&manifests), expected);
    assert_eq!(problems(&dir, &manifests), Vec::<String>::new());
}

#[test]
fn a_directory_must_be_there() {
    let dir = Dir::new();
    let file = dir.write("a.yaml", "");
    for path in [file, dir.path().join("missing")] {
        let error = Manifests::open(path, "argocd".to_owned()).unwrap_err();
        assert!(
            matches!(error, ManifestsError::NotADirectory { .. }),
            "{error}"
        );
    }
    assert!(dir.open().current().applications.is_empty());
}

#[tokio::test]
async fn changes_are_taken_up_and_the_rest_stays_the_same_object() {
    let dir = Dir::new();
    dir.write(
        "a.yaml",
        &format!("{}---\n{}", app("a", "nginx:1"), app("b", "nginx:1")),
    );
    dir.write("c.yaml", &app("c", "nginx:1"));
    let manifests = dir.open();
    let before = (find(&manifests, "a"), find(&manifests, "b"));

    dir.write(
        "a.yaml",
        &format!(
            "# a comment\n{}---\n{}",
            app("a", "nginx:2"),
            app("b", "nginx:1")
        ),
    );
    fs::remove_file(dir.path().join("c.yaml")).unwrap();
    dir.write("new/d.yaml", &app("d", "nginx:1"));
    manifests.refresh().await;

    let expected = pairs(&[("a", "nginx:2"), ("b", "nginx:1"), ("d", "nginx:1")]);
    assert_eq!(images(&manifests), expected);
    assert!(!Arc::ptr_eq(&before.0, &find(&manifests, "a")));
    assert!(Arc::ptr_eq(&before.1, &find(&manifests, "b")));
    manifests.changed().await;
}

#[tokio::test]
async fn a_change_without_meaning_is_none() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    let before = manifests.current();
    dir.write("a.yaml", &format!("# a comment\n{}", app("a", "nginx:1")));
    dir.write("b.yaml", "kind: ConfigMap\n");
    manifests.refresh().await;
    assert!(Arc::ptr_eq(&before, &manifests.current()));
}

#[tokio::test]
async fn two_changes_within_one_tick_of_the_clock_are_both_seen() {
    let dir = Dir::new();
    let path = dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = dir.open();
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    // The same length and the same time of change: only the bytes tell.
    fs::write(&path, app("a", "nginx:2")).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time)
        .unwrap();
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:2")]));
}

#[tokio::test]
async fn a_broken_file_is_reported_until_it_is_mended_and_stops_no_other() {
    let dir = Dir::new();
    dir.write("good.yaml", &app("good", "nginx:1"));
    dir.write(
        "bad.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: bad\nspec: 3\n",
    );
    dir.write("wrong.yaml", "# c\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: Wrong\nspec:\n  source: 5\n");
    let manifests = dir.open();
    assert_eq!(images(&manifests), pairs(&[("good", "nginx:1")]));
    let found = problems(&dir, &manifests);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with("bad.yaml:4: the document is left out: "),
        "{}",
        found[0]
    );
    assert!(
        found[1]
            .starts_with("wrong.yaml:5: Application Wrong is left out: metadata.name is \"Wrong\""),
        "{}",
        found[1]
    );
    assert_eq!(
        found[2],
        "wrong.yaml:7: Application Wrong is left out: spec.source must be a mapping"
    );

    dir.write("bad.yaml", &app("bad", "nginx:1"));
    dir.write("wrong.yaml", &app("wrong", "nginx:1"));
    manifests.refresh().await;
    assert_eq!(manifests.problems(), []);
    assert_eq!(manifests.current().applications.len(), 3);
}

#[tokio::test]
async fn an_object_that_stands_twice_is_left_out_until_one_is_removed() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("twice", "nginx:1"));
    dir.write(
        "b.yaml",
        &format!("{}---\n{}", app("once", "nginx:1"), app("twice", "nginx:1")),
    );
    let manifests = dir.open();
    assert_eq!(images(&manifests), pairs(&[("once", "nginx:1")]));
    let message = |other: &str| {
        format!(
            "Application argocd/twice is left out: it stands in {}/{other} too; keep one of them",
            dir.path().display()
        )
    };
    let found = manifests.problems();
    assert_eq!(
        (found[0].line, &found[0].message),
        (1, &message("b.yaml:11"))
    );
    assert_eq!(
        (found[1].line, &found[1].message),
        (11, &message("a.yaml:1"))
    );

    fs::remove_file(dir.path().join("a.yaml")).unwrap();
    manifests.refresh().await;
    assert_eq!(
        images(&manifests),
        pairs(&[("once", "nginx:1"), ("twice", "nginx:1")])
    );
    assert_eq!(manifests.problems(), []);
}

#[test]
fn of_many_places_of_an_object_only_some_are_named() {
    let dir = Dir::new();
    let text = vec![app("same", "nginx:1"); 6].join("---\n");
    dir.write("a.yaml", &text);
    let found = dir.open().problems();
    assert_eq!(found.len(), 6);
    for one in found {
        let places = one.message.matches("a.yaml:").count();
        assert_eq!(places, 3, "{}", one.message);
        assert!(one.message.contains(" and 2 more too; "), "{}", one.message);
    }
}

#[test]
fn one_name_in_two_namespaces_is_two_objects() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    dir.write("b.yaml", &app("a\n  namespace: team-b", "nginx:1"));
    let manifests = dir.open();
    let ids: Vec<_> = manifests
        .current()
        .applications
        .iter()
        .map(|one| one.id.to_string())
        .collect();
    assert_eq!(ids, ["argocd/a", "team-b/a"]);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_reported() {
    let dir = Dir::new();
    let text = format!("{}# {}\n", app("a", "nginx:1"), "x".repeat(4 << 20));
    dir.write("a.yaml", &text);
    let manifests = dir.open();
    assert_eq!(
        problems(&dir, &manifests),
        ["a.yaml:1: the file is left out: it is larger than 4 MiB"]
    );
    dir.write("a.yaml", &app("a", "nginx:1"));
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
}

#[tokio::test]
async fn a_directory_that_goes_away_for_a_while_is_remembered() {
    let parent = Dir::new();
    let path = parent.write("manifests/a.yaml", &app("a", "nginx:1"));
    let dir = path.parent().unwrap();
    let manifests = Manifests::open(dir.to_owned(), "argocd".to_owned()).unwrap();
    let away = parent.path().join("away");
    fs::rename(dir, &away).unwrap();
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
    assert_eq!(manifests.problems().len(), 1);
    fs::rename(&away, dir).unwrap();
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
    assert_eq!(manifests.problems(), []);
}

#[tokio::test]
async fn what_cannot_be_read_for_a_while_is_remembered() {
    use std::os::unix::fs::PermissionsExt;

    let dir = Dir::new();
    let file = dir.write("locked/a.yaml", &app("a", "nginx:1"));
    let folder = file.parent().unwrap();
    let manifests = dir.open();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(folder).is_ok() {
        eprintln!("left out: this user may read everything, so nothing can be made unreadable");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        return;
    }
    manifests.refresh().await;
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:1")]));
    assert_eq!(manifests.problems().len(), 1);
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    manifests.refresh().await;
    assert_eq!(manifests.problems(), []);
}

#[tokio::test]
async fn watching_takes_changes_up_by_itself() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a", "nginx:1"));
    let manifests = Arc::new(dir.open());
    let watch = tokio::spawn(Arc::clone(&manifests).watch());
    dir.write("a.yaml", &app("a", "nginx:2"));
    let changed = tokio::time::timeout(Duration::from_secs(20), manifests.changed());
    changed.await.expect("no change was seen");
    assert_eq!(images(&manifests), pairs(&[("a", "nginx:2")]));
    watch.abort();
}
