//! A table of texts before and after an edit, one file each in `tests/fixtures/manifests`.
//!
//! A file starts with what it shows. Its sections follow: `source`, `edits` (kind, name, what is expected, what is written), `before`,
//! and either `after` or why nothing is written.

use std::fs;
use std::path::Path;

use image_updater::adapters::manifests::splice;
use image_updater::adapters::manifests::splice::SpliceError;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::resource::ResourceId;

struct Fixture {
    change: ApplicationChange,
    before: String,
    outcome: String,
    expected: String,
}

fn read(text: &str) -> Fixture {
    let mut sections = text
        .split("=== ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap());
    let mut section = |name: &str| {
        let (title, body) = sections.next().unwrap();
        assert!(name.is_empty() || title == name);
        (title.to_owned(), body.to_owned())
    };
    let source = section("source").1;
    let edits = section("edits").1;
    let before = section("before").1;
    let (outcome, expected) = section("");
    let change = ApplicationChange {
        application: ResourceId {
            namespace: "argocd".to_owned(),
            name: "shop".to_owned(),
        },
        source: place(source.trim()),
        edits: edits.lines().map(edit).collect(),
        images: Vec::new(),
    };
    Fixture {
        change,
        before,
        outcome,
        expected,
    }
}

fn place(text: &str) -> SourcePlace {
    match text {
        "spec.source" => SourcePlace::Single,
        "spec.sourceHydrator.drySource" => SourcePlace::Hydrator,
        other => {
            let index = other
                .strip_prefix("spec.sources[")
                .unwrap()
                .strip_suffix(']')
                .unwrap();
            SourcePlace::Multiple(index.parse().unwrap())
        }
    }
}

fn edit(line: &str) -> Edit {
    let (left, value) = line.split_once(" => ").unwrap();
    let (kind, rest) = left.split_once(' ').unwrap();
    let value = value.to_owned();
    let expected = |text: &str| match text {
        "-" => None,
        "(empty)" => Some(String::new()),
        other => Some(other.to_owned()),
    };
    if kind == "kustomize" {
        let expected = expected(rest);
        return Edit::KustomizeImage { expected, value };
    }
    let (name, rest) = rest.split_once(' ').unwrap();
    let (name, expected) = (name.to_owned(), expected(rest));
    match kind {
        "helm" => Edit::HelmParameter {
            name,
            expected,
            value,
        },
        "plugin" => Edit::PluginEnv {
            name,
            expected,
            value,
        },
        other => panic!("{other} is no kind of edit"),
    }
}

fn check(fixture: &Fixture, name: &str) {
    let result = splice::apply(&fixture.before, &fixture.change, "argocd");
    match (fixture.outcome.as_str(), result) {
        ("after", Ok(after)) => assert_eq!(after, fixture.expected, "{name}\n{after}"),
        ("gone", Err(error @ SpliceError::Gone))
        | ("moved", Err(error @ SpliceError::Moved(_)))
        | ("refused", Err(error @ SpliceError::Refused(_))) => {
            let reason = error.to_string();
            assert!(reason.contains(fixture.expected.trim()), "{name}: {reason}");
        }
        (wanted, other) => panic!("{name} should be {wanted}, and is {other:?}"),
    }
}

fn fixtures() -> Vec<(String, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifests");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read_one = |path: &Path| read(&fs::read_to_string(path).unwrap());
    files
        .map(|path| (path.display().to_string(), read_one(&path)))
        .collect()
}

#[test]
fn every_fixture_comes_out_as_it_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 40, "{}", fixtures.len());
    for (name, fixture) in fixtures {
        check(&fixture, &name);
    }
}

#[test]
fn every_fixture_comes_out_the_same_with_other_line_breaks() {
    for (name, mut fixture) in fixtures() {
        for line_break in ["\r\n", "\r"] {
            let before = fixture.before.clone();
            let expected = fixture.expected.clone();
            fixture.before = before.replace('\n', line_break);
            if fixture.outcome == "after" {
                fixture.expected = expected.replace('\n', line_break);
            }
            check(&fixture, &name);
            (fixture.before, fixture.expected) = (before, expected);
        }
    }
}

#[test]
fn every_fixture_comes_out_the_same_with_a_byte_order_mark() {
    for (name, mut fixture) in fixtures() {
        fixture.before.insert(0, '\u{feff}');
        if fixture.outcome == "after" {
            fixture.expected.insert(0, '\u{feff}');
        }
        check(&fixture, &name);
    }
}

#[test]
fn a_last_line_without_a_line_break_stays_without() {
    let shortened = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    let with_a_block_scalar_at_the_end = ["block-scalars", "after-block-scalar"];
    for (name, mut fixture) in fixtures() {
        if with_a_block_scalar_at_the_end
            .iter()
            .any(|part| name.contains(part))
        {
            continue;
        }
        fixture.before = shortened(&fixture.before);
        if fixture.outcome == "after" {
            fixture.expected = shortened(&fixture.expected);
        }
        check(&fixture, &name);
    }
}
