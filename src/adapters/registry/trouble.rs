//! What went wrong at a registry, in words without secrets.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::exchange::Reply;
use crate::ports::registry_client::RegistryError;

/// Makes errors about one registry.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    registry: String,
}

impl Trouble {
    pub(super) fn at(registry: &str) -> Self {
        Self {
            registry: registry.to_owned(),
        }
    }

    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    pub(super) fn denied(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Denied {
            registry: self.registry.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn credentials(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Credentials {
            registry: self.registry.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn missing(&self, repository: &str) -> RegistryError {
        RegistryError::Missing {
            registry: self.registry.clone(),
            repository: repository.to_owned(),
        }
    }

    pub(super) fn unavailable(
        &self,
        reason: impl Into<String>,
        retry_after: Option<Duration>,
    ) -> RegistryError {
        RegistryError::Unavailable {
            registry: self.registry.clone(),
            reason: reason.into(),
            retry_after,
        }
    }

    pub(super) fn nonsense(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Nonsense {
            registry: self.registry.clone(),
            reason: reason.into(),
        }
    }
}

/// A status with the registry's own codes for what is wrong. Its messages are left out: what is in them is up to it, a password even.
pub(super) fn told(status: StatusCode, body: &[u8]) -> String {
    let codes = codes(body);
    if codes.is_empty() {
        format!("HTTP status {status}")
    } else {
        format!("HTTP status {status}, {}", codes.join(", "))
    }
}

/// Whether "not found" comes from a proxy or another program that stands where the registry should: those say it in a text for people. There
/// are registries that call their own errors text.
pub(super) fn is_from_elsewhere(reply: &Reply) -> bool {
    let kind = reply.header(http::header::CONTENT_TYPE).unwrap_or_default();
    let is_text = kind.trim_start().to_ascii_lowercase().starts_with("text/");
    is_text && codes(&reply.body).is_empty()
}

/// The codes in a body of [errors](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes).
fn codes(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Coded>,
    }
    #[derive(Deserialize)]
    struct Coded {
        code: String,
    }
    const MOST: usize = 3;
    let is_code = |code: &String| {
        code.len() <= 40 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let errors = serde_json::from_slice(body).map_or_else(|_| Vec::new(), |it: Errors| it.errors);
    let codes = errors.into_iter().map(|error| error.code);
    codes.filter(is_code).take(MOST).collect()
}

/// The whole chain of causes: reqwest's own text is only "error sending request". It shows no address, which may have a signature in it.
pub(super) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reasons: Vec<String> = causes(&error)
        .into_iter()
        .map(ToString::to_string)
        .collect();
    reasons.dedup();
    let mut reason = reasons.join(": ");
    if is_about_certificate(&error) {
        reason.push_str(
            "; give the authority of its certificate with ca_file or ca_data of registries.conf",
        );
    }
    reason
}

/// An error and what caused it.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        causes.push(error);
        next = error.source();
    }
    causes
}

/// Whether the certificate is not trusted, which no further attempt changes.
pub(super) fn is_about_certificate(error: &reqwest::Error) -> bool {
    causes(error).into_iter().any(is_of_certificate)
}

/// An I/O error names as its source what its content was caused by, and not the content itself.
fn is_of_certificate(error: &(dyn Error + 'static)) -> bool {
    let content = error.downcast_ref().and_then(io::Error::get_ref);
    let is_invalid = matches!(
        error.downcast_ref(),
        Some(rustls::Error::InvalidCertificate(_))
    );
    is_invalid || content.is_some_and(|content| is_of_certificate(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_and_messages_are_not() {
        let body = br#"{"errors":[{"code":"DENIED","message":"hunter2"},{"code":"hunter2"}]}"#;
        let text = told(StatusCode::FORBIDDEN, body);
        assert_eq!(text, "HTTP status 403 Forbidden, DENIED");
        let html = told(StatusCode::BAD_GATEWAY, b"<html>hunter2</html>");
        assert_eq!(html, "HTTP status 502 Bad Gateway");
    }
}
