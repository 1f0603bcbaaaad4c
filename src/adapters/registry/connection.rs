//! The HTTP client of one registry.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use reqwest::Certificate;
use reqwest::Client;
use reqwest::ClientBuilder;
use reqwest::Url;
use reqwest::redirect::Attempt;
use reqwest::redirect::Policy;

use super::host::Means;
use crate::domain::registry::endpoint::Trust;

/// Blobs lie behind one redirection, rarely two.
const MOST_REDIRECTIONS: usize = 5;
/// As the Go program keeps them.
const IDLE_FOR: std::time::Duration = std::time::Duration::from_secs(90);
/// As many idle connections as the Go program keeps to one host; HTTP/2 needs one.
const MOST_IDLE: usize = 5;

/// What becomes of redirections.
#[derive(Debug, Clone, Copy)]
pub(super) enum Redirections {
    /// They are followed; reqwest takes the header with the credentials off where they lead to another host.
    Followed,
    /// They are answers like others: a body with a secret in it goes nowhere else.
    Refused,
}

/// A client that trusts what it should, and goes through the proxy that the environment names.
pub(super) fn client(
    api: &Url,
    trust: &Trust,
    means: &Means,
    redirections: Redirections,
) -> Result<Client, String> {
    // reqwest takes the process-wide provider; another one that was installed before will do as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let timings = &means.timings;
    let policy = match redirections {
        Redirections::Followed => Policy::custom(redirected),
        Redirections::Refused => Policy::none(),
    };
    let builder = Client::builder()
        .connect_timeout(timings.connect)
        .read_timeout(timings.silence)
        .timeout(timings.request)
        // A connection that died in silence is given up with the first request on it, and not offered to the next.
        .http2_keep_alive_interval(timings.silence / 2)
        .http2_keep_alive_timeout(timings.silence / 2)
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(MOST_IDLE)
        .redirect(policy)
        .referer(false)
        .user_agent(concat!("argocd-image-updater/", env!("CARGO_PKG_VERSION")));
    let builder = trusting(builder, api, trust, &means.certificates)?;
    builder.build().map_err(super::trouble::chain)
}

fn trusting(
    builder: ClientBuilder,
    api: &Url,
    trust: &Trust,
    certificates: &Path,
) -> Result<ClientBuilder, String> {
    let Trust::Authorities { data, .. } = trust else {
        return Ok(builder.tls_danger_accept_invalid_certs(true));
    };
    let mut authorities = Vec::new();
    if let Some(file) = authorities_file(api, trust, certificates) {
        authorities.extend(from_file(&file)?);
    }
    if let Some(data) = data {
        let parsed = Certificate::from_pem_bundle(data.as_bytes());
        authorities.extend(parsed.map_err(|error| format!("ca_data: {error}"))?);
    }
    Ok(if authorities.is_empty() {
        builder
    } else {
        builder.tls_certs_merge(authorities)
    })
}

/// What is in the file with a registry's own authorities; `None` where there is none, or it cannot be read.
pub(super) fn authorities(api: &Url, trust: &Trust, means: &Means) -> Option<Vec<u8>> {
    fs::read(authorities_file(api, trust, &means.certificates)?).ok()
}

/// The file with a registry's own authorities: the one that its description names, or that in the folder where it is called like the host.
fn authorities_file(api: &Url, trust: &Trust, certificates: &Path) -> Option<PathBuf> {
    match trust {
        Trust::Anything => None,
        Trust::Authorities {
            file: Some(file), ..
        } => Some(file.clone()),
        Trust::Authorities { file: None, .. } => {
            // The host comes from a parsed address, so it is one component of a path; a folder of such a name is none of ours.
            let usual = api.host_str().map(|host| certificates.join(host));
            usual.filter(|file| file.is_file())
        }
    }
}

fn from_file(file: &Path) -> Result<Vec<Certificate>, String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("its certificate authorities in {}: {error}", file.display())
    };
    let pem = fs::read(file).map_err(|error| failed(&error))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| failed(&error))?;
    if found.is_empty() {
        Err(failed(&"there is no certificate in PEM in it"))
    } else {
        Ok(found)
    }
}

/// Follows a redirection. Nothing that was asked over TLS is answered without.
fn redirected(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_secure = attempt.previous().iter().any(|url| url.scheme() == "https");
    if was_secure && attempt.url().scheme() != "https" {
        attempt.error("it redirects from https to http")
    } else if attempt.previous().len() > MOST_REDIRECTIONS {
        attempt.error("it redirects too often")
    } else {
        attempt.follow()
    }
}
