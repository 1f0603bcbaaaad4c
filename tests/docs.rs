//! The documentation's links lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    collect(&root().join("docs"), &mut found);
    collect(&root().join("config"), &mut found);
    found
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
}

/// Text outside of code blocks and code spans.
fn prose(text: &str) -> String {
    let mut in_block = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The anchors that GitHub makes of a document's headings.
fn anchors(text: &str) -> Vec<String> {
    let mut in_block = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        in_block ^= line.trim_start().starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !in_block) {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            anchors.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    anchors
}

/// What is wrong with a link of a document, if anything.
fn broken(document: &Path, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target
        .split_once('#')
        .map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() {
        document.to_owned()
    } else {
        document.parent().unwrap().join(file)
    };
    if !path.exists() {
        return Some(format!("{}: {target} does not exist", document.display()));
    }
    let anchor = anchor?;
    let known = anchors(&fs::read_to_string(&path).unwrap())
        .iter()
        .any(|known| known == anchor);
    (!known).then(|| format!("{}: {target} has no such heading", document.display()))
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        for target in links(&fs::read_to_string(&document).unwrap()) {
            checked += 1;
            wrong.extend(broken(&document, &target));
        }
    }
    assert!(checked > 10, "only {checked} links were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn broken_links_are_found() {
    let readme = root().join("README.md");
    assert_eq!(
        links("a [b](c.md) `[d](e)`\n```\n[f](g)\n```\n[h](i#j)"),
        ["c.md", "i#j"]
    );
    assert!(broken(&readme, "docs/NOTHING.md").is_some());
    assert!(broken(&readme, "#no-such-heading").is_some());
    assert_eq!(broken(&readme, "#try-it"), None);
    assert_eq!(broken(&readme, "LICENSE"), None);
}
