//! From where and how deliveries may come, as the values say.

use std::path::PathBuf;

use super::problem::Problem;
use super::values::Values;
use crate::domain::admission::Admission;
use crate::domain::admission::Certified;
use crate::domain::admission::allow_list::AllowList;
use crate::domain::admission::network::Networks;
use crate::domain::sender::SenderProfile;

const PROXIES: &str = "webhook.trusted-proxies";
const ALLOWED: &str = "webhook.allow-from";
const AUTHORITIES: &str = "tls.client-ca";
const CERTIFIED: &str = "tls.client-types";

/// What the values ask for.
///
/// # Errors
/// [`Problem`] where it is no such thing.
pub(super) fn admission(values: &Values) -> Result<Admission, Problem> {
    let certified: String = values.get(CERTIFIED)?;
    let has_authorities = client_ca(values)?.is_some();
    Ok(Admission {
        proxies: Networks::parse(&values.get::<String>(PROXIES)?)
            .map_err(|error| Problem::of(PROXIES, error.to_string()))?,
        allowed: AllowList::parse(&values.get::<String>(ALLOWED)?)
            .map_err(|error| Problem::of(ALLOWED, error.to_string()))?,
        certified: if has_authorities {
            Certified::parse(&certified)
        } else {
            Certified::None
        },
    })
}

/// The file with the authorities for clients.
///
/// # Errors
/// [`Problem`] where the setting is missing.
pub(super) fn client_ca(values: &Values) -> Result<Option<PathBuf>, Problem> {
    let path: PathBuf = values.get(AUTHORITIES)?;
    Ok(Some(path).filter(|path| !path.as_os_str().is_empty()))
}

/// What is wrong with them beside their form.
pub(super) fn check(values: &Values, senders: &[SenderProfile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (Ok(certified), Ok(Ok(allowed))) = (
        values
            .get::<String>(CERTIFIED)
            .map(|text| Certified::parse(&text)),
        values
            .get::<String>(ALLOWED)
            .map(|text| AllowList::parse(&text)),
    ) else {
        // That has been told.
        return problems;
    };
    let mut known = |key: &str, types: &mut dyn Iterator<Item = &str>| {
        let is_known = |name: &&str| senders.iter().any(|sender| sender.name == *name);
        problems.extend(types.filter(|name| !is_known(name)).map(|name| {
            let names: Vec<_> = senders.iter().map(|sender| sender.name).collect();
            let request = format!(
                "{name:?} is no type of sender; there are {}",
                names.join(", ")
            );
            at(values, key, request)
        }));
    };
    known(ALLOWED, &mut allowed.types());
    known(CERTIFIED, &mut certified.types());
    let has_authorities = matches!(client_ca(values), Ok(Some(_)));
    if has_authorities && certified == Certified::None {
        let request = "name the types that need a client certificate, or * for all of them";
        problems.push(at(values, CERTIFIED, request.to_owned()));
    }
    if has_authorities && values.get("disable-tls").unwrap_or(false) {
        let request = "without TLS no client can show a certificate; take it away, or disable-tls";
        problems.push(at(values, AUTHORITIES, request.to_owned()));
    }
    if !has_authorities && matches!(certified, Certified::These(_)) {
        let request = "no client certificate can be checked: set tls.client-ca too";
        problems.push(at(values, CERTIFIED, request.to_owned()));
    }
    problems
}

fn at(values: &Values, key: &str, request: String) -> Problem {
    Problem {
        subject: key.to_owned(),
        found: values.place(key).map(|place| format!("set by {place}")),
        request,
    }
}
