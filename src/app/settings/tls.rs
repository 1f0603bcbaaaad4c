//! The TLS policy that the values ask for.

use super::problem::Problem;
use super::values::Values;
use crate::domain::tls::cipher_suite::CipherList;
use crate::domain::tls::{Capabilities, TlsPolicy, TlsPolicyError, TlsVersion, TlsWarning};

/// Judges versions and suites together against what the build can serve.
///
/// # Errors
/// [`Problem`] where it cannot be served.
pub(super) fn policy(
    values: &Values,
    build: Capabilities,
) -> Result<(TlsPolicy, Vec<TlsWarning>), Problem> {
    let min = version(values, "tls.min-version")?;
    let max = version(values, "tls.max-version")?;
    let text: String = values.get("tls.ciphers")?;
    let ciphers =
        CipherList::parse(&text).map_err(|error| Problem::of("tls.ciphers", error.to_string()))?;
    TlsPolicy::new(min, max, &ciphers, build).map_err(|error| problem(values, &error))
}

fn version(values: &Values, key: &str) -> Result<TlsVersion, Problem> {
    let text: String = values.get(key)?;
    TlsVersion::parse(&text).map_err(|error| Problem::of(key, error.to_string()))
}

fn problem(values: &Values, error: &TlsPolicyError) -> Problem {
    let keys: &[&str] = match error {
        TlsPolicyError::MinAboveMax { .. } => &["tls.min-version", "tls.max-version"],
        TlsPolicyError::NeedsFeature => &["tls.min-version"],
        TlsPolicyError::NoSuiteLeft { .. } => &["tls.ciphers"],
    };
    let places: Vec<_> = keys.iter().filter_map(|key| values.place(key)).collect();
    Problem {
        subject: keys.first().copied().unwrap_or("tls").to_owned(),
        found: Some(format!("set by {}", places.join(" and "))),
        request: error.to_string(),
    }
}
