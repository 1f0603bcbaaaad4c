//! The dependency rule: `domain` <- `ports` <- { `adapters`, `app` }.
//!
//! * The domain and the ports use only the crates that are named for them.
//! * An adapter knows the domain and the ports, never a sibling (those that are shared aside), and never `app`.
//! * In `app` only `app::wiring` names an adapter.
//!
//! The check reads the text of the sources, so it holds them to a habit that makes it reliable: no `use crate::{…}` over several layers.
//! That it catches what it should is tested with planted violations.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

const DOMAIN_CRATES: [&str; 7] = [
    "hex",
    "hmac",
    "ipnet",
    "regex",
    "semver",
    "sha2",
    "thiserror",
];
const PORT_CRATES: [&str; 3] = ["async_trait", "mockall", "thiserror"];
const TEST_CRATES: [&str; 2] = ["proptest", "tokio"];

/// What every adapter may use: formats without I/O, the reader of a mounted file, and the clock of limits.
const SHARED: [&str; 3] = ["mounted_file", "tokio_clock", "wire"];

/// Where a file stands: its layer and, for an adapter, which one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Layer {
    Root,
    Domain,
    Ports,
    Adapter(String),
    App { wiring: bool },
}

fn layer(path: &str) -> Layer {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    match parts.as_slice() {
        ["domain", ..] => Layer::Domain,
        ["ports", ..] => Layer::Ports,
        ["adapters", "mod"] => Layer::Root,
        ["adapters", name, ..] => Layer::Adapter((*name).to_owned()),
        ["app", "wiring", ..] => Layer::App { wiring: true },
        ["app", ..] => Layer::App { wiring: false },
        _ => Layer::Root,
    }
}

/// Every violation in a file, as text.
fn violations(path: &str, source: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let layer = layer(path);
    let mut found = Vec::new();
    for (number, line) in code_lines(source) {
        let mut say = |what: String| found.push(format!("src/{path}:{number}: {what}"));
        if line.contains("crate::{") {
            say("groups paths under crate::{…}; write one path a line".to_owned());
        }
        let above = paths_into(&line, "super::")
            .into_iter()
            .map(|rest| above(path, in_tests(source, number), &rest));
        for target in paths_into(&line, "crate::").into_iter().chain(above) {
            if let Some(what) = forbidden(&layer, &target) {
                say(what);
            }
        }
        for name in crates.iter().filter(|name| names_crate(&line, name)) {
            let tests = path.ends_with("/tests.rs") || in_tests(source, number);
            if !crate_allowed(&layer, name, tests) {
                say(format!("uses the crate {name}, which its layer must not"));
            }
        }
    }
    found
}

/// What `super::rest` means in a file; in its test module `super` is the file's own module.
fn above(path: &str, in_tests: bool, rest: &str) -> String {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    let mut rest = rest;
    let mut levels = usize::from(!in_tests);
    while let Some(further) = rest.strip_prefix("super::") {
        (rest, levels) = (further, levels + 1);
    }
    parts.truncate(parts.len().saturating_sub(levels));
    parts.push(rest);
    parts.join("::")
}

fn in_tests(source: &str, number: usize) -> bool {
    let tests = source
        .lines()
        .position(|line| line.trim() == "#[cfg(test)]");
    tests.is_some_and(|start| number > start + 1)
}

fn forbidden(layer: &Layer, target: &str) -> Option<String> {
    let mut parts = target.split("::");
    let (top, second) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let bad = match layer {
        Layer::Root => false,
        Layer::Domain => top != "domain",
        Layer::Ports => top != "domain" && top != "ports",
        Layer::Adapter(own) => {
            let is_known = second == own || SHARED.contains(&second);
            top == "app" || (top == "adapters" && !is_known)
        }
        Layer::App { wiring } => top == "adapters" && !wiring,
    };
    bad.then(|| format!("names crate::{top}::{second}, which its layer must not"))
}

fn crate_allowed(layer: &Layer, name: &str, tests: bool) -> bool {
    let listed = |list: &[&str]| list.contains(&name);
    let in_tests = || tests && listed(&TEST_CRATES);
    match layer {
        Layer::Domain => listed(&DOMAIN_CRATES) || in_tests(),
        Layer::Ports => listed(&PORT_CRATES) || in_tests(),
        Layer::Root | Layer::Adapter(_) | Layer::App { .. } => true,
    }
}

/// Lines without comments and string literals, numbered from one.
fn code_lines(source: &str) -> Vec<(usize, String)> {
    let strip = |line: &str| {
        let mut code = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(['"', '/']) {
            if rest[at..].starts_with("//") {
                code.push_str(&rest[..at]);
                return code;
            }
            if rest[at..].starts_with('"') {
                code.push_str(&rest[..at]);
                let Some(end) = closing_quote(&rest[at + 1..]) else {
                    return code;
                };
                rest = &rest[at + 1 + end + 1..];
            } else {
                code.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
        code.push_str(rest);
        code
    };
    source
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, strip(line)))
        .collect()
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// What follows each `prefix` that starts a path, up to the end of the path.
fn paths_into(line: &str, prefix: &str) -> Vec<String> {
    let starts = line
        .match_indices(prefix)
        .filter(|(at, _)| !continues_a_word(line, *at));
    starts
        .map(|(at, _)| {
            let rest = &line[at + prefix.len()..];
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                .unwrap_or(rest.len());
            rest[..end].to_owned()
        })
        .collect()
}

/// Whether a line names a crate: as the start of a path, or in `use` and `extern crate`.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let named = after.starts_with("::")
            || before.trim_end().ends_with("use")
            || before.ends_with("extern crate ");
        whole && named && !continues_a_word(line, at)
    })
}

/// Whether what stands at `at` belongs to a longer word or path, as in `my_tokio::` or `self::tokio::`.
fn continues_a_word(line: &str, at: usize) -> bool {
    let before = &line[..at];
    let leading = before.ends_with("::")
        && !before
            .trim_end_matches("::")
            .ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
    before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
        || (before.ends_with("::") && !leading)
}

/// The crates of Cargo.toml, as they are spelled in code.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut in_table = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_table = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line
            .split_once('=')
            .filter(|_| in_table && !line.starts_with('#'))
        {
            names.insert(name.trim().replace('-', "_"));
        }
    }
    names
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_sources_keep_the_rule() {
    let crates = dependencies();
    assert!(
        crates.contains("warp") && crates.contains("tokio"),
        "Cargo.toml was not read: {crates:?}"
    );
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 20, "only {} files found", files.len());
    let mut found = Vec::new();
    for file in files {
        let path = file
            .strip_prefix(root().join("src"))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        found.extend(violations(
            &path,
            &fs::read_to_string(&file).unwrap(),
            &crates,
        ));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn planted_violations_are_caught() {
    let crates = dependencies();
    let planted = [
        ("domain/a.rs", "use tokio::time::sleep;"),
        ("domain/a.rs", "use serde::Deserialize;"),
        (
            "domain/a.rs",
            "fn now() -> ::tokio::time::Instant { todo() }",
        ),
        ("domain/a.rs", "#[derive(serde::Serialize)]"),
        ("domain/a.rs", "use tracing as log;"),
        ("domain/a.rs", "extern crate tokio;"),
        ("domain/a.rs", "use crate::ports::pace::Pace;"),
        (
            "domain/a.rs",
            "let x = vec![crate::adapters::pace::Governed::new()];",
        ),
        (
            "domain/a/b.rs",
            "use super::super::super::ports::pace::Pace;",
        ),
        ("adapters/http/a.rs", "use super::super::tls::Acceptor;"),
        ("domain/a.rs", "use crate::{adapters, domain};"),
        ("ports/a.rs", "use crate::adapters::pace::Governed;"),
        ("ports/a.rs", "use crate::app::intake::Intake;"),
        ("ports/a.rs", "use http::HeaderMap;"),
        ("adapters/http/a.rs", "use crate::adapters::tls::Acceptor;"),
        (
            "adapters/pace.rs",
            "use crate::adapters::memory::event_queue::InMemoryQueue;",
        ),
        ("adapters/http/a.rs", "use crate::app::settings::Settings;"),
        (
            "adapters/pace.rs",
            "use super::memory::event_queue::InMemoryQueue;",
        ),
        ("adapters/http/mod.rs", "use super::tls::Acceptor;"),
        ("domain/mod.rs", "use super::ports::pace::Pace;"),
        ("app/intake.rs", "use crate::adapters::senders;"),
        (
            "app/cli/a.rs",
            "fn f(x: &crate::adapters::pace::Governed) {}",
        ),
    ];
    for (path, line) in planted {
        assert!(
            !violations(path, line, &crates).is_empty(),
            "not caught in {path}: {line}"
        );
    }
}

#[test]
fn what_is_allowed_passes() {
    let crates = dependencies();
    let allowed = [
        ("domain/a.rs", "use crate::domain::event::ImageEvent;"),
        ("domain/a.rs", "use sha2::Sha256;"),
        ("domain/a.rs", "// tokio::time is for adapters"),
        ("domain/a.rs", "let text = \"serde::Serialize\";"),
        (
            "domain/a.rs",
            "#[cfg(test)]\nmod tests {\n    use proptest::prelude::*;\n}",
        ),
        ("ports/a.rs", "use async_trait::async_trait;"),
        (
            "adapters/manifests/a.rs",
            "use crate::adapters::wire::application::Application;",
        ),
        ("adapters/tls/a.rs", "use crate::adapters::mounted_file;"),
        (
            "adapters/pace.rs",
            "use crate::adapters::tokio_clock::TokioClock;",
        ),
        (
            "adapters/http/a.rs",
            "use crate::adapters::http::answer::Answer;",
        ),
        ("app/wiring/mod.rs", "use crate::adapters::pace::Governed;"),
        (
            "app/intake.rs",
            "use crate::ports::secret_source::SecretSource;",
        ),
    ];
    for (path, line) in allowed {
        assert_eq!(
            violations(path, line, &crates),
            Vec::<String>::new(),
            "{path}: {line}"
        );
    }
}
