//! A verdict for people.

use std::collections::BTreeMap;

use super::Verdict;
use crate::domain::policy::survey::Candidate;
use crate::domain::policy::survey::Dropped;
use crate::domain::policy::survey::DroppedBy;

/// How many candidates are shown; a registry may list thousands.
const CANDIDATES: usize = 20;
/// How many tags are named that a rule drops.
const EXAMPLES: usize = 5;

/// The verdict, then the candidates with the best first, then what each rule drops.
#[must_use]
pub fn render(verdict: &Verdict) -> String {
    let mut lines = head(verdict);
    lines.push(String::new());
    lines.extend(candidates(&verdict.survey.candidates));
    lines.push(String::new());
    lines.extend(dropped(&verdict.survey.dropped));
    lines.join("\n")
}

fn head(verdict: &Verdict) -> Vec<String> {
    let strategy = match &verdict.constraint {
        Some(constraint) => format!("{}, constraint {constraint}", verdict.strategy),
        None => verdict.strategy.to_string(),
    };
    let chosen = verdict.reference();
    let chosen = chosen.as_deref().unwrap_or("nothing");
    let rows = [
        ("image", verdict.image.to_string()),
        ("strategy", strategy),
        ("chosen", chosen.to_owned()),
        ("because", verdict.reason.clone()),
    ];
    let notes = verdict.notes.iter().map(|note| ("note", note.clone()));
    rows.into_iter()
        .chain(notes)
        .map(|(name, text)| format!("{name:10}{text}"))
        .collect()
}

fn candidates(candidates: &[Candidate]) -> Vec<String> {
    let shown = candidates.get(..CANDIDATES).unwrap_or(candidates);
    let width = shown
        .iter()
        .map(|one| one.tag.as_str().len())
        .max()
        .unwrap_or_default();
    let mut lines = vec![match candidates.len() {
        0 => "no candidates".to_owned(),
        1 => "1 candidate:".to_owned(),
        count => format!("{count} candidates, the best first:"),
    }];
    lines.extend(shown.iter().map(|one| {
        let tag = one.tag.as_str();
        match one.created {
            Some(time) => format!(
                "  {tag:width$}  built {}",
                humantime::format_rfc3339_seconds(time)
            ),
            None => format!("  {tag}"),
        }
    }));
    let rest = candidates.len() - shown.len();
    lines.extend((rest > 0).then(|| format!("  and {rest} more")));
    lines
}

fn dropped(dropped: &[Dropped]) -> Vec<String> {
    let mut by_rule: BTreeMap<DroppedBy, Vec<&Dropped>> = BTreeMap::new();
    for one in dropped {
        by_rule.entry(one.by).or_default().push(one);
    }
    let mut lines = vec![match dropped.len() {
        0 => "no tags dropped".to_owned(),
        1 => "1 tag dropped:".to_owned(),
        count => format!("{count} tags dropped:"),
    }];
    for (rule, tags) in by_rule {
        let names: Vec<&str> = tags.iter().map(|one| one.tag.as_str()).collect();
        let examples = names.get(..EXAMPLES).unwrap_or(&names);
        let more = if examples.len() < names.len() {
            ", …"
        } else {
            ""
        };
        lines.push(format!(
            "  {rule:12}{:>6}  {}{more}",
            names.len(),
            examples.join(", ")
        ));
        let first = tags.first().map(|one| &one.reason);
        lines.extend(first.map(|reason| format!("{:22}{reason}", "")));
    }
    lines
}
