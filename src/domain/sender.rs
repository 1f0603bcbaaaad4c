//! The kinds of senders, and how each proves who it is.

use std::fmt;

/// What is known of a type of sender before any delivery comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderProfile {
    /// The value of `?type=`, such as `ghcr.io`.
    pub name: &'static str,
    /// What its secret is called: `ghcr` makes the flag `--ghcr-webhook-secret`, the variable `GHCR_WEBHOOK_SECRET` and the key
    /// `webhook.ghcr-secret`.
    pub secret_name: &'static str,
    /// The product, as people call it.
    pub title: &'static str,
    /// How a delivery proves that it knows the secret.
    pub authentication: Authentication,
    /// Where the sender documents its payload.
    pub documentation: &'static str,
}

/// How a delivery proves that it comes from somebody who knows the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the raw body>`, as
    /// [GitHub](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries) signs.
    HubSignature256,
    /// The whole value of the `Authorization` header is the secret.
    AuthorizationHeader,
    /// The query parameter `secret`.
    QuerySecret,
    /// The header `X-Webhook-Secret` or the query parameter `secret`; one of them is enough, whatever the other holds.
    HeaderOrQuerySecret,
}

impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HubSignature256 => "HMAC-SHA256 of the body in the header X-Hub-Signature-256",
            Self::AuthorizationHeader => "the whole value of the header Authorization",
            Self::QuerySecret => "the query parameter secret",
            Self::HeaderOrQuerySecret => {
                "the header X-Webhook-Secret or the query parameter secret"
            }
        })
    }
}
