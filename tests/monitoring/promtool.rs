//! Prometheus' own tool on the alerts, and on what the dashboard asks.

use std::env;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use super::RULES;
use super::dashboard;
use super::path;
use super::questions;

/// Where the tool is; a test without it is left out, except in CI.
fn promtool() -> Option<PathBuf> {
    const VARIABLE: &str = "IMAGE_UPDATER_TEST_PROMTOOL";
    let tool = env::var_os(VARIABLE).map(PathBuf::from);
    if let Some(tool) = tool.filter(|tool| tool.is_file()) {
        return Some(tool);
    }
    assert!(
        env::var_os("CI").is_none(),
        "${VARIABLE} names no promtool; tests/peers/promtool builds it"
    );
    let line = "\n!!! tests of alerts were LEFT OUT: there is no promtool; tests/peers/promtool builds it\n";
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

fn run(tool: &Path, arguments: &[&str], file: &Path) {
    let output = Command::new(tool)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&told)
    );
}

#[test]
fn alerts_are_raised_when_they_should_be() {
    let Some(tool) = promtool() else { return };
    run(&tool, &["check", "rules", "--lint-fatal"], &path(RULES));
    run(
        &tool,
        &["test", "rules"],
        &path("tests/monitoring/alerts.yaml"),
    );
}

/// Prometheus checks rules, so each question is made one.
#[test]
fn the_dashboard_asks_what_can_be_asked() {
    let Some(tool) = promtool() else { return };
    let asked = questions(&dashboard());
    let rules: Vec<Value> = asked
        .iter()
        .enumerate()
        .map(|(number, (_, question))| {
            let question = question.replace("$__rate_interval", "5m");
            json!({"record": format!("question:{number}"), "expr": question})
        })
        .collect();
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    serde_json::to_writer(&file, &groups).unwrap();
    run(&tool, &["check", "rules"], file.path());
}
