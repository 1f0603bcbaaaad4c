//! Several changes at once.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use image_updater::adapters::manifests::splice;
use image_updater::adapters::manifests::splice::SpliceError;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::ports::update_trigger::TriggerError;
use image_updater::ports::update_trigger::UpdateTrigger;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::runtime::Builder;

use crate::Dir;
use crate::app;
use crate::change;
use crate::images;
use crate::pairs;

/// A file of so many Applications, in documents of their own.
fn documents(count: usize, image: &str) -> String {
    let all: Vec<_> = (0..count)
        .map(|number| app(&format!("a{number}"), image))
        .collect();
    all.join("---\n")
}

/// The same as the items of one list.
fn list(count: usize, image: &str) -> String {
    let all: Vec<_> = (0..count)
        .map(|number| app(&format!("a{number}"), image))
        .collect();
    listed(&all)
}

/// Objects as the items of one list.
fn listed(objects: &[String]) -> String {
    let items = objects.iter();
    let items: Vec<_> = items
        .map(|one| format!("- {}\n", one.trim_end().replace('\n', "\n  ")))
        .collect();
    format!("apiVersion: v1\nkind: List\nitems:\n{}", items.concat())
}

fn changes(count: usize, expected: &str, value: &str) -> Vec<ApplicationChange> {
    let numbers = 0..count;
    numbers
        .map(|number| change(&format!("a{number}"), expected, value))
        .collect()
}

#[test]
fn many_changes_of_one_file_replace_it_once() {
    for text in [documents, list] {
        let dir = Dir::new();
        let (before, after) = (text(200, "nginx:1"), text(200, "nginx:2"));
        let file = dir.write("a.yaml", &before);
        let manifests = dir.open();
        let done = AtomicBool::new(false);
        let results = thread::scope(|scope| {
            // Were it written more than once, this would see something between.
            let reader = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let seen = fs::read_to_string(&file).unwrap();
                    assert!(seen == before || seen == after, "a part of the changes");
                }
            });
            let runtime = Builder::new_current_thread().build().unwrap();
            let results = runtime.block_on(manifests.apply(&changes(200, "nginx:1", "nginx:2")));
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
            results
        });
        assert_eq!(results, vec![Ok(()); 200]);
        assert_eq!(dir.read("a.yaml"), after);
        assert_eq!(images(&manifests).len(), 200);
        assert!(
            images(&manifests)
                .iter()
                .all(|(_, image)| image == "nginx:2")
        );
    }
}

#[tokio::test]
async fn changes_of_many_files_are_all_made() {
    let dir = Dir::new();
    for number in 0..30 {
        dir.write(
            &format!("{}/{number}.yaml", number % 4),
            &app(&format!("a{number}"), "nginx:1"),
        );
    }
    let manifests = dir.open();
    let mut changes = changes(30, "nginx:1", "nginx:2");
    changes.reverse();
    changes.insert(7, change("a7", "nginx:9", "nginx:3"));
    changes.insert(0, change("none", "nginx:1", "nginx:2"));
    let results = manifests.apply(&changes).await;
    assert_eq!(results.len(), 32);
    assert_eq!(results[0], Err(TriggerError::Gone));
    assert!(matches!(results[8], Err(TriggerError::Moved { .. })));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 30);
    assert!(
        images(&manifests)
            .iter()
            .all(|(_, image)| image == "nginx:2")
    );
}

#[tokio::test]
async fn one_that_cannot_be_written_leaves_the_others_of_its_document() {
    let dir = Dir::new();
    // The image of `a1` is what an anchor in `a0` says: the edit of `a0` alone would change both.
    let text = list(5, "nginx:1")
        .replacen("- nginx:1", "- &image nginx:1", 1)
        .replacen("- nginx:1", "- *image", 1);
    dir.write("a.yaml", &text);
    let manifests = dir.open();
    let mut changes = changes(5, "nginx:1", "nginx:2");
    changes.remove(1);
    let results = manifests.apply(&changes).await;
    assert!(
        matches!(results[0], Err(TriggerError::Refused { .. })),
        "{results:?}"
    );
    assert_eq!(results[1..], [Ok(()), Ok(()), Ok(())]);
    let (old, new) = ("nginx:1", "nginx:2");
    let expected = [
        ("a0", old),
        ("a1", old),
        ("a2", new),
        ("a3", new),
        ("a4", new),
    ];
    assert_eq!(images(&manifests), pairs(&expected));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_leaves_the_others() {
    let dir = Dir::new();
    dir.write("a.yaml", &app("a0", "nginx:1"));
    dir.write("b.yaml", &app("a1", "nginx:1"));
    let manifests = dir.open();
    fs::remove_file(dir.path().join("a.yaml")).unwrap();
    let results = manifests.apply(&changes(2, "nginx:1", "nginx:2")).await;
    assert_eq!(results, [Err(TriggerError::Gone), Ok(())]);
    assert_eq!(images(&manifests), pairs(&[("a1", "nginx:2")]));
}

/// What one source of an Application holds: names of parameters and images.
type Drawn = (usize, Vec<Index>, Vec<Index>);

/// A file of Applications in several styles, some alone in their document, some in a list.
fn file(applications: &[Drawn], in_list: bool) -> String {
    let one = |(number, (style, parameters, images)): (usize, &Drawn)| {
        let comment = if style % 2 == 0 { " # note" } else { "" };
        let named: Vec<_> = parameters
            .iter()
            .enumerate()
            .map(|(place, value)| format!("{{name: n{place}, value: v{}}}", value.index(2)))
            .collect();
        let images: Vec<_> = images
            .iter()
            .enumerate()
            .map(|(place, image)| format!("i{place}:{}", image.index(2)))
            .collect();
        let source = match style % 4 {
            0 => format!(
                "\n    kustomize: {{images: [{}]}}\n    helm: {{parameters: [{}]}}",
                images.join(", "),
                named.join(", ")
            ),
            1 => format!(
                "{comment}\n    helm:\n      parameters:{}\n    kustomize:\n      images:{}",
                lines(&named, "      "),
                lines(&images, "        ")
            ),
            2 => " {}".to_owned(),
            _ => format!(
                "\n    path: x{comment}\n\n    kustomize:\n      images:{}",
                lines(&images, "      ")
            ),
        };
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a{number}}}{comment}\nspec:\n  source:{source}\n"
        )
    };
    let all: Vec<_> = applications.iter().enumerate().map(one).collect();
    if in_list {
        listed(&all)
    } else {
        all.join("---\n")
    }
}

fn lines(entries: &[String], indent: &str) -> String {
    let all = entries.iter();
    let all: Vec<_> = all.map(|entry| format!("\n{indent}- {entry}")).collect();
    all.concat()
}

/// A change of some Application, which may fit it or not.
fn any_change() -> impl Strategy<Value = ApplicationChange> {
    let edit = (0..3_usize, 0..2_usize, 0..3_usize, any::<bool>()).prop_map(
        |(place, old, new, appends)| {
            if new == 2 {
                let expected = (!appends).then(|| format!("v{old}"));
                let (name, value) = (format!("n{place}"), "12".to_owned());
                return Edit::HelmParameter {
                    name,
                    expected,
                    value,
                };
            }
            let expected = (!appends).then(|| format!("i{place}:{old}"));
            Edit::KustomizeImage {
                expected,
                value: format!("i{place}:{new}"),
            }
        },
    );
    (0..6_usize, prop::collection::vec(edit, 1..3)).prop_map(|(number, edits)| ApplicationChange {
        source: SourcePlace::Single,
        edits,
        ..change(&format!("a{number}"), "", "")
    })
}

proptest! {
    #[test]
    fn changes_at_once_come_out_as_one_by_one(
        applications in prop::collection::vec(
            (0..4_usize, prop::collection::vec(any::<Index>(), 0..3), prop::collection::vec(any::<Index>(), 0..3)), 3..6),
        in_list: bool,
        changes in prop::collection::vec(any_change(), 0..12),
    ) {
        let text = file(&applications, in_list);
        let mut wanted = text.clone();
        let mut results: Vec<Result<(), SpliceError>> = Vec::new();
        for change in &changes {
            let edited = splice::apply(&wanted, change, "argocd");
            results.push(edited.map(|edited| wanted = edited));
        }
        let all: Vec<_> = changes.iter().collect();
        let (edited, at_once) = splice::apply_all(&text, &all, "argocd");
        prop_assert_eq!(at_once, results, "{}", text);
        prop_assert_eq!(edited, wanted);
    }
}
