//! What can be said only of several settings together.

use std::path::PathBuf;

use super::Rhythm;
use super::admission;
use super::assemble;
use super::build::Build;
use super::mode::Mode;
use super::notice::Notice;
use super::problem::Problem;
use super::setting::Effect;
use super::table::{Table, secret_key, secret_variable};
use super::tls;
use super::values::Values;
use crate::domain::sender::SenderProfile;
use crate::domain::tls::Capabilities;

/// What is to be said.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Notice>,
}

/// Checks the effective values against each other.
pub(super) fn check(mode: Mode, table: &Table, values: &Values, build: &Build<'_>) -> Findings {
    let mut findings = Findings::default();
    no_effect_yet(mode, table, values, &mut findings);
    shutdown(values, &mut findings);
    metrics(values, &mut findings);
    match assemble::port(mode, values) {
        Ok(Some(_)) => {
            secrets(values, build.senders, &mut findings);
            tls_policy(values, build.tls, &mut findings);
            findings
                .problems
                .extend(admission::check(values, build.senders));
        }
        _ if assemble::rhythm(mode, values) == Ok(Rhythm::Never) => {
            findings.notices.push(Notice::NothingToDo);
        }
        _ => {}
    }
    findings
}

fn no_effect_yet(mode: Mode, table: &Table, values: &Values, findings: &mut Findings) {
    for setting in table.of(mode) {
        if setting.effect == Effect::NotYet && values.is_given(&setting.key) {
            findings.notices.push(Notice::NoEffectYet {
                key: setting.key.clone(),
                place: values.place(&setting.key).unwrap_or_default(),
            });
        }
    }
}

fn shutdown(values: &Values, findings: &mut Findings) {
    let delay = values.get::<u64>("shutdown.delay");
    let grace = values.get::<u64>("shutdown.grace");
    let (Ok(delay), Ok(grace)) = (delay, grace) else {
        return;
    };
    if delay > 0 && delay >= grace {
        let place = |key| values.place(key).unwrap_or_default();
        let request = format!(
            "{} must be shorter than shutdown.grace ({}), of which it is a part",
            place("shutdown.delay"),
            place("shutdown.grace")
        );
        findings
            .problems
            .push(Problem::of("shutdown.delay", request));
    }
}

/// Who may read is a question to the cluster.
fn metrics(values: &Values, findings: &mut Findings) {
    let is_secure = matches!(assemble::metrics(values), Ok(Some(metrics)) if metrics.secure);
    let has_no_cluster = matches!(values.optional::<PathBuf>("manifests"), Ok(Some(_)));
    if is_secure && has_no_cluster {
        let request = "with --manifests there is no cluster that knows who may read metrics; set it to false, or metrics-bind-address to 0";
        findings
            .problems
            .push(Problem::of("metrics-secure", request));
    }
}

fn tls_policy(values: &Values, build: Capabilities, findings: &mut Findings) {
    if values.get("disable-tls").unwrap_or(false) {
        return;
    }
    match tls::policy(values, build) {
        Ok((_, warnings)) => findings
            .notices
            .extend(warnings.into_iter().map(Notice::Tls)),
        Err(problem) => findings.problems.push(problem),
    }
}

fn secrets(values: &Values, senders: &[SenderProfile], findings: &mut Findings) {
    let required = values.get("webhook.require-secret").unwrap_or(true);
    let notices = &mut findings.notices;
    for sender in senders {
        let key = secret_key(sender);
        for (place, by) in values.hidden_secrets(&key) {
            notices.push(Notice::HiddenSecret {
                place: place.to_owned(),
                by: by.to_owned(),
            });
        }
    }
    let without = |sender: &&SenderProfile| values.secrets(&secret_key(sender)).is_none();
    let missing: Vec<_> = senders.iter().filter(without).collect();
    if !required {
        notices.extend(missing.iter().map(|sender| Notice::Open {
            sender: sender.name,
        }));
    } else if missing.len() == senders.len() {
        let example = senders.first().map(secret_variable).unwrap_or_default();
        notices.push(Notice::NoSecrets {
            example: format!("${example}"),
        });
    } else if !missing.is_empty() {
        let senders = missing.iter().map(|sender| sender.name).collect();
        notices.push(Notice::NotServed { senders });
    }
}
