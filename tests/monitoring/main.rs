//! Alerts and dashboard speak of metrics that there are, and alerts are raised when they should be.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

mod names;
mod promtool;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::ports::delivery_watcher::DeliveryOutcome;
use serde_json::Value;

use self::names::Names;
use self::names::names;

const RULES: &str = "config/charts/argocd-image-updater/files/rules.yaml";
const DASHBOARD: &str = "config/grafana/dashboard.json";

fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// The alerts.
fn rules() -> Vec<Value> {
    let rules: Value = serde_saphyr::from_str(&read(RULES)).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap());
    rules.cloned().collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(DASHBOARD)).unwrap()
}

/// What a dashboard asks, under the title of the panel.
fn questions(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(move |target| {
            (
                title.to_owned(),
                target["expr"].as_str().unwrap().to_owned(),
            )
        })
    });
    targets.collect()
}

/// All expressions of the repository, each with where it stands.
fn expressions() -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rules = rules().into_iter();
    let alerts = rules.map(|rule| (text(&rule["alert"]), text(&rule["expr"])));
    alerts.chain(questions(&dashboard())).collect()
}

/// The labels of each metric under each of the names by which it is asked for.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("docs/METRICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with(names::PREFIX));
    let mut all = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [name, kind, labels, ..] = cells[..] else {
            panic!("{row}");
        };
        let labels = labels.split('`').skip(1).step_by(2);
        let labels: BTreeSet<String> = labels.map(str::to_owned).collect();
        let suffixes: &[&str] = match kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        for suffix in suffixes {
            let name = name.trim_end_matches('`');
            all.insert(format!("{name}{suffix}"), labels.clone());
        }
    }
    assert!(all.len() > 20);
    all
}

/// Labels that Prometheus and its operator add, and that of buckets.
const ADDED: [&str; 3] = ["namespace", "pod", "le"];

#[test]
fn they_speak_of_metrics_and_labels_that_there_are() {
    let documented = documented();
    let expressions = expressions();
    assert!(expressions.len() > 40);
    for (place, expression) in &expressions {
        let Names { metrics, labels } = names(expression);
        assert!(!metrics.is_empty(), "{place}: {expression}");
        let mut known: BTreeSet<&str> = ADDED.into();
        for metric in &metrics {
            let of_metric = documented
                .get(metric)
                .unwrap_or_else(|| panic!("{place}: docs/METRICS.md has no {metric}"));
            known.extend(of_metric.iter().map(String::as_str));
        }
        for label in &labels {
            assert!(known.contains(label.as_str()), "{place}: {label}");
        }
    }
}

#[test]
fn every_outcome_of_a_delivery_is_documented() {
    let page = read("docs/METRICS.md");
    let row = |metric: &str| {
        let start = format!("| `{}{metric}` |", names::PREFIX);
        page.lines().find(|line| line.starts_with(&start)).unwrap()
    };
    for outcome in DeliveryOutcome::ALL {
        let name = format!("`{}`", outcome.name());
        assert!(row("deliveries_total").contains(&name), "{name}");
        if let DeliveryOutcome::Rejected(reason) = outcome {
            let name = format!("`{}`", reason.name());
            assert!(row("deliveries_rejected_total").contains(&name), "{name}");
        }
    }
}

#[test]
fn every_metric_has_its_place_on_the_dashboard() {
    let questions = questions(&dashboard()).into_iter();
    let asked: BTreeSet<String> = questions
        .flat_map(|(_, question)| names(&question).metrics)
        .collect();
    let asked_for = |name: &str| {
        let of_histogram = |suffix| asked.contains(&format!("{name}{suffix}"));
        asked.contains(name) || of_histogram("_bucket")
    };
    for name in documented().keys() {
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        let part = name.ends_with("_sum") || name.ends_with("_count");
        assert!(part || asked_for(name), "{name}");
    }
}

#[test]
fn the_folder_and_the_chart_have_the_same_ones() {
    let folder: Value = serde_saphyr::from_str(&read("config/prometheus/rules.yaml")).unwrap();
    let chart: Value = serde_saphyr::from_str(&read(RULES)).unwrap();
    assert_eq!(folder["spec"], chart);
    let chart = read("config/charts/argocd-image-updater/files/dashboard.json");
    assert_eq!(chart, read(DASHBOARD));
}

#[test]
fn every_alert_says_what_it_means() {
    let mut known = BTreeSet::new();
    for rule in rules() {
        let alert = rule["alert"].as_str().unwrap();
        assert!(known.insert(alert.to_owned()), "{alert} is there twice");
        let severity = rule["labels"]["severity"].as_str();
        let severities = [Some("critical"), Some("warning"), Some("info")];
        assert!(severities.contains(&severity), "{alert}");
        for annotation in ["summary", "description"] {
            let text = rule["annotations"][annotation].as_str();
            assert!(text.is_some_and(|text| text.ends_with('.')), "{alert}");
        }
        let documented = read("docs/METRICS.md").contains(&format!("| `{alert}` |"));
        assert!(documented, "docs/METRICS.md has no row about {alert}");
    }
}

#[test]
fn panels_have_places_of_their_own() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()));
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for (x, y) in (at("x")..at("x") + at("w"))
            .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(x < 24 && taken.insert((x, y)), "{}", panel["title"]);
        }
    }
}
