//! A verdict for programs.

use serde::Serialize;

use super::TrialError;
use super::Verdict;
use crate::domain::policy::survey::Candidate;
use crate::domain::policy::survey::Dropped;

/// What is printed.
#[derive(Serialize)]
struct Shown<'a> {
    image: &'a str,
    strategy: Option<String>,
    constraint: Option<&'a str>,
    chosen: Option<String>,
    reason: Option<&'a str>,
    candidates: Vec<ShownCandidate<'a>>,
    dropped: Vec<ShownDropped<'a>>,
    notes: &'a [String],
    error: Option<String>,
}

#[derive(Serialize)]
struct ShownCandidate<'a> {
    tag: &'a str,
    created: Option<String>,
}

#[derive(Serialize)]
struct ShownDropped<'a> {
    tag: &'a str,
    rule: &'static str,
    reason: &'a str,
}

/// One JSON object, which is of the same form where there is no verdict.
///
/// # Errors
/// What serde says; there is nothing in it that cannot be written.
pub fn render(
    image: &str,
    outcome: Result<&Verdict, &TrialError>,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&match outcome {
        Ok(verdict) => Shown {
            image,
            strategy: Some(verdict.strategy.to_string()),
            constraint: verdict.constraint.as_deref(),
            chosen: verdict.reference(),
            reason: Some(&verdict.reason),
            candidates: verdict.survey.candidates.iter().map(candidate).collect(),
            dropped: verdict.survey.dropped.iter().map(dropped).collect(),
            notes: &verdict.notes,
            error: None,
        },
        Err(error) => Shown {
            image,
            strategy: None,
            constraint: None,
            chosen: None,
            reason: None,
            candidates: Vec::new(),
            dropped: Vec::new(),
            notes: &[],
            error: Some(error.to_string()),
        },
    })
}

fn candidate(candidate: &Candidate) -> ShownCandidate<'_> {
    ShownCandidate {
        tag: candidate.tag.as_str(),
        created: candidate
            .created
            .map(|time| humantime::format_rfc3339_seconds(time).to_string()),
    }
}

fn dropped(dropped: &Dropped) -> ShownDropped<'_> {
    ShownDropped {
        tag: dropped.tag.as_str(),
        rule: dropped.by.name(),
        reason: &dropped.reason,
    }
}
